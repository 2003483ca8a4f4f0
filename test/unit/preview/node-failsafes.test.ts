import { expect, it } from "vitest";
import { failsafesOnNode } from "../../../src/agent/failsafes-on-node.ts";
import type { FailsafeOnNode } from "../../../src/api/failsafes-on-node.ts";
import { reportedFailsafes } from "../../../src/cli/reported-failsafes.ts";
import { withFound } from "../../../src/plan/found-failsafes.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { byName } from "../../../src/plan/text-order.ts";
import { preview } from "../../../src/preview/preview.ts";
import { assigned, someGroups } from "../plan/policies.ts";

const settings = DEFAULT_NODE_SETTINGS;
const world = { groups: { before: someGroups, after: someGroups }, settings };
const cutting = assigned({ firewall: { existing: "Cut", inbound: {}, outbound: { ports: ["1-65535"] } } }, "web");
/** As the agent of a node writes it whose SSH server listens on 2222, and which knows an API server. */
const facts = [
  { kind: "SshListener", port: 2222, evidence: "sshd" },
  { kind: "ApiServer", port: 8443, address: "192.0.2.40", evidence: "kubelet.conf" },
] as const;
const reported = failsafesOnNode(
  merge([cutting], someGroups, { ...settings, failsafes: withFound(settings.failsafes, facts) }),
  facts,
);
const found = reportedFailsafes(reported, settings.failsafes);

const opening = { family: 4, protocol: "TCP", local: "" } as const;
const use = {
  places: [],
  flows: [
    { openings: [{ ...opening, direction: "Inbound", peer: "203.0.113.9", port: 2222 }], connections: 2 },
    { openings: [{ ...opening, direction: "Outbound", peer: "192.0.2.40", port: 8443 }], connections: 1 },
  ],
  flowsComplete: true,
  gaps: [],
} as const;

it("passes what the node shows as its own, on that node alone", () => {
  const after = [cutting];
  const nodes = [
    { name: "a", before: [], after, failsafes: found, use },
    { name: "b", before: [], after, use },
  ];
  const { flows, sessions } = preview(nodes, world);
  expect(flows.map(({ port, nodes: on }) => [port, on])).toEqual([
    [2222, ["b"]],
    [8443, ["b"]],
  ]);
  expect(sessions).toMatchObject([{ port: 2222, fate: "Kept", by: "failsafe found-ssh", nodes: ["a"] }]);
});

it("is read from status as the agent has it", () => {
  const { inbound, outbound } = withFound(settings.failsafes, facts);
  const named = (all: readonly { readonly name: string }[]) =>
    all.filter(({ name }) => name.startsWith("found-")).toSorted(byName);
  expect([found.inbound.toSorted(byName), found.outbound.toSorted(byName)]).toEqual([named(inbound), named(outbound)]);
});

it("leaves out what was cut to fit, and what the settings name themselves", () => {
  const one = (peers: string): FailsafeOnNode => {
    return { name: "backup", direction: "Both", protocol: "TCP", ports: "9000-9001", peers, origin: "Installed" };
  };
  const none = { inbound: [], outbound: [] };
  expect(reportedFailsafes([one("10.0.0.0/8, 192.0…")], none)).toEqual(none);
  const read = { name: "backup", protocol: "TCP", ports: [{ from: 9000, to: 9001 }], origin: "Installed" } as const;
  const whole = { ...read, peers: ["10.0.0.0/8", "192.0.2.7/32"] };
  expect(reportedFailsafes([one("10.0.0.0/8, 192.0.2.7")], none)).toEqual({ inbound: [whole], outbound: [whole] });
  expect(reportedFailsafes([one("Nodes")], { inbound: [whole], outbound: [] })).toEqual({
    inbound: [],
    outbound: [{ ...read, peers: "Nodes" }],
  });
});
