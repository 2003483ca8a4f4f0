import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DEFAULT_ROLLOUT } from "../../../src/api/rollout.ts";
import { rollout } from "../../../src/controller/rollout.ts";
import { judgeRollout } from "../../../src/controller/rollout-verdict.ts";
import { judgePolicy } from "../../../src/controller/verdict.ts";
import { runHealth } from "./run-health.ts";

const file = resolve(import.meta.dirname, "../../../deploy/argocd/health.yaml");
const { data } = parse(readFileSync(file, "utf8")) as { data: Readonly<Record<string, string>> };

/** Of Argo CD's ConfigMap, by the key that Argo CD looks for. */
function check(kind: string): string {
  const lua = data[`resource.customizations.health.porthardening.io_${kind}`];
  if (lua === undefined) throw new Error(`${join(file)} has no check of ${kind}`);
  return lua;
}

interface PolicyState {
  readonly generation?: number;
  readonly observedGeneration?: number;
  readonly spec?: object;
  readonly conditions?: readonly object[];
}

function policy({ generation = 2, observedGeneration = 2, spec = {}, conditions = [] }: PolicyState): object {
  return { metadata: { generation }, spec: { mode: "Enforce", ...spec }, status: { observedGeneration, conditions } };
}

type Outcome = "Enforced" | "Failed" | "NotEnforceable" | "Outdated" | "Pending" | "Unknown";

/** As the controller writes them. */
function judged(outcomes: readonly Outcome[], standing?: ReturnType<typeof judgeRollout>): readonly object[] {
  const nodes = outcomes.map((outcome, index) => ({
    node: `node${index + 1}`,
    outcome,
    message: "why",
    droppedPackets: 0,
  }));
  const { ready, reconciling, stalled, reason, message } = judgePolicy(nodes, undefined, { rollout: standing });
  const text = (holds: boolean) => (holds ? "True" : "False");
  return [
    { type: "Ready", status: ready, reason, message },
    { type: "Reconciling", status: text(reconciling), reason, message },
    { type: "Stalled", status: text(stalled), reason, message },
  ];
}

/** A roll-out of which one node has had its turn, as the controller judges it. */
function rollingOut(state: "Enforced" | "Failed", paused: boolean): readonly object[] {
  const fleet = ["node1", "node2"].map((name, index) => ({
    name,
    labels: {},
    desired: "new",
    assigned: index === 0 ? "new" : "old",
    reported: index === 0 ? { hash: "new", state } : undefined,
    alive: true,
    heard: true,
    unawaited: false,
    cutsNothing: false,
  }));
  const settings = { ...DEFAULT_ROLLOUT, paused };
  const decision = rollout(settings, fleet);
  return judged([state, "Pending"], judgeRollout({ decision, settings, revision: "new" }, false));
}

describe("Argo CD says of a policy", () => {
  const invalid = judgePolicy([], "no such sysctl");
  it.each([
    ["Healthy", "enforced everywhere", policy({ conditions: judged(["Enforced", "Enforced"]) })],
    ["Healthy", "enforced where nodes can be heard", policy({ conditions: judged(["Enforced", "Unknown"]) })],
    ["Healthy", "no node selected", policy({ conditions: judged([]) })],
    ["Progressing", "some nodes have yet to", policy({ conditions: judged(["Enforced", "Pending"]) })],
    ["Progressing", "no node can be heard", policy({ conditions: judged(["Unknown"]) })],
    ["Degraded", "a node failed", policy({ conditions: judged(["Enforced", "Failed", "Pending"]) })],
    ["Degraded", "its roll-out has halted", policy({ conditions: rollingOut("Failed", false) })],
    ["Degraded", "a node cannot enforce it", policy({ conditions: judged(["Enforced", "NotEnforceable"]) })],
    ["Degraded", "a node's agent is outdated", policy({ conditions: judged(["Enforced", "Outdated", "Pending"]) })],
    [
      "Degraded",
      "it does not compile",
      policy({
        conditions: [
          { type: "Ready", status: "False", message: invalid.message },
          { type: "Stalled", status: "True", message: invalid.message },
        ],
      }),
    ],
    [
      "Suspended",
      "its roll-out is paused",
      policy({ spec: { rollout: { paused: true } }, conditions: rollingOut("Enforced", true) }),
    ],
    [
      "Healthy",
      "paused, with nothing left to do",
      policy({ spec: { rollout: { paused: true } }, conditions: judged(["Enforced"]) }),
    ],
    [
      "Degraded",
      "paused after a failure",
      policy({ spec: { rollout: { paused: true } }, conditions: rollingOut("Failed", true) }),
    ],
    ["Progressing", "judged at an older revision", policy({ generation: 3, conditions: judged(["Enforced"]) })],
    ["Progressing", "failed at an older revision", policy({ generation: 3, conditions: judged(["Failed"]) })],
    ["Progressing", "no status yet", { metadata: { generation: 1 }, spec: { mode: "Enforce" } }],
    ["Progressing", "no conditions yet", policy({})],
  ])("%s: %s", async (status, _, object) => {
    expect(await runHealth(check("PortHardeningPolicy"), object)).toMatchObject({ status });
  });

  it("which node it is that failed, and why", async () => {
    const { message } = await runHealth(check("PortHardeningPolicy"), policy({ conditions: judged(["Failed"]) }));
    expect(message).toBe("1 of 1 node failed: node1. node1: why");
  });
});

describe("Argo CD says of a node's state", () => {
  const state = (ready: "True" | "False", ...states: string[]) => ({
    metadata: { generation: 4 },
    status: {
      observedGeneration: 4,
      conditions: [{ type: "Ready", status: ready, message: "it says" }],
      policies: states.map((one, index) => ({ name: `policy${index}`, state: one })),
    },
  });
  it.each([
    ["Healthy", "all enforced", state("True", "Enforced")],
    ["Healthy", "nothing assigned", state("True")],
    ["Progressing", "one is being applied", state("False", "Enforced", "Pending")],
    ["Degraded", "one failed, another is being applied", state("False", "Pending", "Failed")],
    ["Degraded", "one cannot be enforced", state("False", "Enforced", "NotEnforceable")],
    ["Degraded", "the node itself has a problem", state("False", "Enforced")],
    ["Progressing", "an older revision", { ...state("True", "Enforced"), metadata: { generation: 5 } }],
    ["Progressing", "no agent has answered", { metadata: { generation: 1 } }],
  ])("%s: %s", async (status, _, object) => {
    expect(await runHealth(check("PortHardeningNodeState"), object)).toMatchObject({ status });
  });
});

it("Argo CD says that an address group, which has no status, is Healthy", async () => {
  const object = { metadata: { generation: 1 }, spec: { addresses: ["192.0.2.0/24"] } };
  expect(await runHealth(check("PortHardeningAddressGroup"), object)).toMatchObject({ status: "Healthy" });
});

it("a check that uses what Argo CD does not open fails here as well", async () => {
  await expect(runHealth('return { status = string.upper("x") }', {})).rejects.toThrow("attempt to index");
  await expect(runHealth('return { status = ("x"):upper() }', {})).rejects.toThrow("attempt to index");
});
