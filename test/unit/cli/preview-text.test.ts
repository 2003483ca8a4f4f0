import { expect, it } from "vitest";
import { previewJson } from "../../../src/cli/preview-json.ts";
import { previewText } from "../../../src/cli/preview-text.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { preview } from "../../../src/preview/preview.ts";
import type { NodeUse } from "../../../src/preview/types.ts";
import { assigned, someGroups } from "../plan/policies.ts";

const office = (cidr: string, name = "web") =>
  assigned(
    {
      sysctls: { "net.ipv4.tcp_syncookies": "1" },
      firewall: {
        inbound: { ports: ["1-65535"], allow: [{ name: "office", from: [{ ipBlock: { cidr } }], ports: [9100] }] },
      },
    },
    name,
  );
const opening = (peer: string, port: number) =>
  ({ direction: "Inbound", family: 4, protocol: "TCP", peer, port, local: "" }) as const;
const use: NodeUse = {
  places: [
    { kind: "Listener", protocol: "TCP", address: "0.0.0.0", port: 9100, name: "node_exporter" },
    { kind: "NodePort", protocol: "TCP", address: "::", port: 30080, name: "shop/web" },
  ],
  flows: [
    { openings: [opening("10.0.3.7", 9100)], connections: 7 },
    { openings: [opening("192.0.2.77", 22)], connections: 1 },
  ],
  flowsComplete: false,
  gaps: [{ reason: "ConnectionsLeftOut", count: 5 }],
};
const world = { groups: { before: someGroups, after: someGroups }, settings: DEFAULT_NODE_SETTINGS };
const nodes = ["a", "b", "c", "d"].map((name) => ({
  name,
  before: [office("10.0.0.0/8")],
  after: [office("203.0.113.0/24")],
  use,
}));
const found = preview(nodes, world);

it("says for people what changes, whom it hits and what was not looked at", () => {
  expect(previewText(found, { rules: false, notes: ["policy other loses"] }).split("\n")).toEqual([
    "on 4 nodes (a, b, c, ...):",
    "  ~ policy web",
    "    ~ inbound.allow[office]: from 10.0.0.0/8 -> from 203.0.113.0/24",
    "  rules: chains: 1 changed (PH-J); sets: 1 added, 1 removed",
    "",
    "whom it hits:",
    "  would refuse at least 28 connections to 9100/tcp (node_exporter) from 10.0.3.7 on 4 nodes (a, b, c, ...), when opened anew (existing: Keep): policy web, default action",
    "  would change who reaches 9100/tcp (node_exporter) on 4 nodes (a, b, c, ...): reached by some sources, then by others",
    "",
    "SSH sessions:",
    "  4 sessions from 192.0.2.77 to 22/tcp on 4 nodes (a, b, c, ...): kept by failsafe ssh",
    "",
    "not looked at:",
    "  on 4 nodes (a, b, c, ...): 20 connections are not named in the NodeStates, so all counts are at least",
    "",
    "notes:",
    "  policy other loses",
    "",
    "changes on 4 of 4 nodes that cut what is in use: 28 connections, 0 ports of Services and pods",
    "",
  ]);
});

it("prints rules and entries of sets where they are asked for", () => {
  const text = previewText(found, { rules: true, notes: [] });
  expect(text).toMatch(/^ {2}~ chain mangle PH-J \(v4\)$/m);
  expect(text.match(/^ {4}[+-] -p (tcp|udp) .*--comment "web\/office\/\w+" -j RETURN$/gm)).toHaveLength(4);
  expect(text).toMatch(/^ {2}\+ set ph-4-\w+\n {4}\+ 203.0.113.0\/24$/m);
});

it("has one shape as JSON, and counts lines unless they are asked for", () => {
  const json = JSON.parse(previewJson(found, { rules: false, notes: [] }));
  expect(Object.keys(json)).toEqual([
    "format",
    "outcome",
    "nodes",
    "flows",
    "limits",
    "places",
    "sessions",
    "gaps",
    "changes",
    "notes",
  ]);
  expect(json).toMatchObject({
    format: 1,
    outcome: "Cuts",
    nodes: 4,
    flows: [{ effect: "Refused", connections: 28, atLeast: true, peer: "10.0.3.7", nodes: ["a", "b", "c", "d"] }],
    changes: [{ nodes: ["a", "b", "c", "d"], chains: [{ chain: "PH-J", added: 2, removed: 2 }] }],
  });
  const whole = JSON.parse(previewJson(found, { rules: true, notes: [] }));
  expect(whole.changes[0].sets[1].lines.added).toEqual(["203.0.113.0/24"]);
});

it("says that nothing changes", () => {
  const same = preview([{ name: "a", before: [office("10.0.0.0/8")], after: [office("10.0.0.0/8")], use }], world);
  expect(previewText(same, { rules: false, notes: [] })).toBe("no change on 1 node\n");
});
