import { expect, it } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { reportedUse } from "../../../src/cli/reported-use.ts";

const connection = (peer: string, port: number, connections: number) =>
  ({ direction: "Inbound", peer, port, connections }) as const;
const listener = (address: string, port: number, more: object = {}) =>
  ({ protocol: "TCP", address, port, reach: "Everybody", ...more }) as const;

const status = {
  failsafes: [
    { name: "ssh", direction: "Inbound", protocol: "TCP", ports: "22", peers: "Everybody", origin: "Default" },
  ],
  listeners: {
    count: 3,
    top: [listener("0.0.0.0", 9100, { process: "node_exporter", podUid: "uid-1" }), listener("127.0.0.1", 9101)],
  },
  connections: {
    established: 20,
    timeWait: 0,
    top: [connection("10.0.3.7", 9100, 14), connection("127.0.0.1", 9100, 2), connection("198.18.0.11", 9100, 1)],
  },
} satisfies NodeStateStatus;
const facts = { status, addresses: ["198.18.0.11"], declared: [], pods: new Map([["uid-1", "monitoring/exporter-x"]]) };

it("is what the agent reported, without what a node has with itself", () => {
  const { places, flows } = reportedUse(facts);
  expect(places).toEqual([
    {
      kind: "Listener",
      protocol: "TCP",
      address: "0.0.0.0",
      port: 9100,
      name: "node_exporter of pod monitoring/exporter-x",
    },
  ]);
  expect(flows).toMatchObject([
    { openings: [{ direction: "Inbound", peer: "10.0.3.7", port: 9100 }], connections: 14 },
  ]);
});

it("says how much the bounded lists leave out", () => {
  const { gaps, flowsComplete } = reportedUse(facts);
  expect(gaps).toEqual([
    { reason: "ListenersLeftOut", count: 1 },
    { reason: "ConnectionsLeftOut", count: 3 },
    { reason: "OnlyTcpOfTheNode" },
  ]);
  expect(flowsComplete).toBe(false);
});

it("never takes a node of which nothing was reported for unused", () => {
  const unknown = (one: NodeStateStatus | undefined) => reportedUse({ ...facts, status: one });
  expect(unknown(undefined)).toMatchObject({ flowsComplete: false, gaps: [{ reason: "NotReported" }] });
  expect(unknown({ agentVersion: "1" })).toMatchObject({
    flowsComplete: false,
    gaps: [{ reason: "NotAudited" }, { reason: "FailsafesNotReported" }],
  });
});
