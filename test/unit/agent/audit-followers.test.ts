import { expect, it } from "vitest";
import { auditFollowers } from "../../../src/agent/audit-followers.ts";
import type { NodeStateRecord } from "../../../src/agent/inputs.ts";
import type { AuditState } from "../../../src/audit/audit-state.ts";
import type { NodeAudit } from "../../../src/plan/node-audit.ts";
import { auditState } from "./audit-states.ts";

const record: NodeStateRecord = {
  uid: "5f3c",
  generation: 1,
  policies: [],
  probes: [],
  probeAnswers: [],
  status: undefined,
};
const asking = (...ensureAutomaticUpdates: string[]) => ({ ensureAutomaticUpdates }) as unknown as NodeAudit;

interface Node {
  state: NodeStateRecord | undefined;
  synced: boolean;
  asked: boolean;
  audits: AuditState;
}

function following(changes: Partial<Node> = {}) {
  const node: Node = { state: record, synced: true, asked: true, audits: auditState(), ...changes };
  const told: string[] = [];
  const followers = auditFollowers({
    inputs: {
      get synced() {
        return node.synced;
      },
      nodeState: () => node.state,
    },
    audits: { state: () => node.audits, asked: () => (node.asked ? {} : undefined) },
    automatic: { ask: async (policies) => void told.push(`ask ${policies.join(",")}`) },
    reports: { publish: (_state, uid) => void told.push(`publish ${uid}`), withdraw: () => void told.push("withdraw") },
  });
  return { told, followers };
}

it("reports what is known once all checks were made, for the NodeState that is there", () => {
  const { told, followers } = following();
  followers.publish();
  expect(told).toEqual(["publish 5f3c"]);
});

it("leaves the report of an agent before it until it knows as much", () => {
  const { told, followers } = following({ audits: { checks: [], findings: [] } });
  followers.publish();
  expect(told).toEqual([]);
});

it("takes both back where a NodeState is there and no policy asks", () => {
  const { told, followers } = following({ asked: false });
  followers.aim(undefined);
  followers.publish();
  expect(told).toEqual(["ask ", "withdraw"]);
});

it.each<[string, Partial<Node>]>([
  ["the API server was not heard yet", { synced: false }],
  ["the NodeState is gone", { state: undefined }],
  ["its spec holds no list", { state: { ...record, policies: undefined } }],
])("leaves both as they are where %s", (_, changes) => {
  const { told, followers } = following({ ...changes, asked: false });
  followers.aim(undefined);
  followers.publish();
  expect(told).toEqual([]);
});

it("switches on what the policies ask that are enforced from disk", () => {
  const { told, followers } = following({ synced: false });
  followers.aim(asking("workers"));
  expect(told).toEqual(["ask workers"]);
});
