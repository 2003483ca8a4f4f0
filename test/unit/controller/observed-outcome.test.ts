import { describe, expect, it } from "vitest";
import { type PolicyStatus, policyStatusSchema } from "../../../src/api/policy.ts";
import { policyOutcome } from "../../../src/controller/policy-outcome.ts";
import { summarisePolicy } from "../../../src/controller/policy-status.ts";
import { judgePolicy } from "../../../src/controller/verdict.ts";
import { elementOf, nodeFacts, policyFacts, stateFacts, store, stores } from "./facts.ts";

type Observed = NonNullable<PolicyStatus["observed"]>[number];
const entry = (packets: number, topPeers: Observed["topPeers"], changes: Partial<Observed> = {}): Observed => ({
  direction: "Inbound",
  entry: "default",
  would: "Drop",
  packets,
  topPeers,
  ...changes,
});
const peer = (address: string, packets: number) => ({ address, packets });
const wanted = (measured: string) => ({ key: "net.ipv4.tcp_syncookies", value: "1", measured });

interface Node {
  readonly entries: readonly Observed[];
  readonly drop?: number;
  readonly open?: number;
  readonly measured?: string;
}

/** What the controller says of a policy that these nodes observe. */
function statusOf(mode: "Observe" | "Enforce", nodes: readonly Node[]): PolicyStatus {
  const policy = policyFacts("watch", { mode, ephemeralPorts: { range: "50000-60000" } });
  const { hash } = elementOf(policy);
  const states = nodes.map(({ entries, drop = 0, open = 0, measured }, index) =>
    stateFacts(`node${index}`, {
      range: "32768-60999",
      reported: [
        { name: "watch", hash, state: "Enforced", reason: "Observing", wouldDropPackets: drop, wouldOpenPackets: open },
      ],
      observed: [...entries.map((one) => ({ policy: "watch", ...one })), { policy: "other", ...entry(9, []) }],
      wouldSet: measured === undefined ? [] : [{ policy: "watch", ...wanted(measured) }],
    }),
  );
  const facts = stores({
    policies: store([policy]),
    nodes: store(states.map(({ name }) => nodeFacts(name))),
    nodeStates: store(states),
  });
  const nodePortRange = { from: 30000, to: 32767 };
  const context = { stores: facts, nodePortRange, heardAt: () => 0, silentAfterMilliseconds: 180_000, now: 0 };
  return summarisePolicy(policyOutcome(policy, context), undefined, new Date(0));
}

describe("the status of a policy that observes", () => {
  it("is Observing and Ready, and never takes the measured range for its own work", () => {
    const status = statusOf("Observe", [{ entries: [] }]);
    expect(status.status).toBe("Observing");
    expect(status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
      status: "True",
      reason: "Observing",
    });
    expect(status.range).toBeUndefined();
    expect(statusOf("Enforce", [{ entries: [] }])).toMatchObject({ status: "Ready", range: "32768-60999" });
  });

  it("sums packets and addresses over the nodes, by entry", () => {
    const status = statusOf("Observe", [
      { drop: 5, entries: [entry(5, [peer("203.0.113.1", 3), peer("203.0.113.2", 2)])] },
      {
        drop: 4,
        open: 7,
        entries: [
          entry(4, [peer("203.0.113.2", 4)]),
          entry(7, [], { entry: "office", would: "Open", direction: "Outbound" }),
        ],
      },
    ]);
    expect(status).toMatchObject({ wouldDropPackets: 9, wouldOpenPackets: 7 });
    expect(status.observed).toEqual([
      entry(9, [peer("203.0.113.2", 6), peer("203.0.113.1", 3)]),
      entry(7, [], { entry: "office", would: "Open", direction: "Outbound" }),
    ]);
    expect(policyStatusSchema.safeParse(status).success).toBe(true);
  });

  it("says once what would be set on nodes that are alike", () => {
    const status = statusOf(
      "Observe",
      ["0", "2", "0"].map((measured) => ({ entries: [], measured })),
    );
    expect(status.wouldSet).toEqual([
      { ...wanted("0"), nodes: 2 },
      { ...wanted("2"), nodes: 1 },
    ]);
  });

  it("holds twenty entries and three addresses, those with most packets", () => {
    const peers = [1, 2, 3, 4, 5].map((count) => peer(`203.0.113.${count}`, count));
    const entries = Array.from({ length: 30 }, (_, index) => entry(index + 1, peers, { entry: `entry-${index}` }));
    const { observed = [] } = statusOf("Observe", [{ entries }]);
    expect(observed.map(({ packets }) => packets)).toEqual(Array.from({ length: 20 }, (_, index) => 30 - index));
    expect(observed[0]?.topPeers.map(({ packets }) => packets)).toEqual([5, 4, 3]);
  });

  it("has none of it where the policy is enforced", () => {
    const status = statusOf("Enforce", [{ drop: 5, entries: [entry(5, [])] }]);
    expect(Object.keys(status).filter((key) => /would|observed$/.test(key))).toEqual([]);
  });

  it("turns Ready by the same rules as one that is enforced", () => {
    const outcome = (state: "Enforced" | "Failed" | "Pending") => ({ node: state, outcome: state, droppedPackets: 0 });
    expect(judgePolicy([outcome("Enforced"), outcome("Pending")], undefined, { observes: true })).toMatchObject({
      ready: "False",
      reason: "Progressing",
      message: "1 of 2 nodes observe it, and change nothing; waiting for Pending.",
    });
    expect(judgePolicy([outcome("Enforced"), outcome("Failed")], undefined, { observes: true }).reason).toBe(
      "NodesFailed",
    );
  });
});
