import { isDeepStrictEqual } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ComingSummary } from "../../src/api/coming.ts";
import type { NodeStateStatus } from "../../src/api/node-state.ts";
import type { PolicyStatus } from "../../src/api/policy.ts";
import { kubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import { reflector } from "../../src/kube/reflector.ts";
import { resources } from "../../src/kube/resources.ts";
import type { KubeObject } from "../../src/kube/types.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { type OperatorCluster, served } from "../lab/operator-cluster.ts";
import { operatorProgram } from "../lab/operator-program.ts";
import type { OpenConnection } from "../lab/traffic/traffic.ts";
import { stranger, usedCluster } from "./used-cluster.ts";

const nodes = ["node1", "node2", "node3"];

let lab: Lab;
let cluster: OperatorCluster;
let kubeconfig: string;
let open: readonly OpenConnection[];

beforeAll(async () => {
  lab = await createLab();
  ({ cluster, kubeconfig, open } = await usedCluster(lab, 3));
});
afterAll(() => lab?.close());

const web = (cidr: string, rollout: object = {}) =>
  JSON.stringify({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "web" },
    spec: {
      mode: "Enforce",
      firewall: { existing: "Cut", inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr } }] }] } },
      rollout: { maxUnavailable: "100%", ...rollout },
    },
  });
const outcomes = (patienceMilliseconds: number) => Promise.all(open.map((one) => one.exchange(patienceMilliseconds)));
const program = async (...args: string[]) => {
  const [file, ...first] = operatorProgram;
  return (await execa(file, [...first, ...args, "--kubeconfig", kubeconfig], { reject: false })).stdout;
};
const waitForPolicy = (condition: string) =>
  cluster.controlPlane.kubectl(["wait", `--for=${condition}`, "phpol/web", "--timeout=120s"]);

/** The newest edit, on every node. */
async function rolledOut(): Promise<boolean> {
  const { stdout } = await cluster.controlPlane.kubectl(["get", "phpol", "web", "-o", "json"]);
  const { metadata, status } = JSON.parse(stdout) as { metadata: { generation: number }; status: PolicyStatus };
  return status.observedGeneration === metadata.generation && status.rollout?.phase === "Complete";
}

async function previewOn(node: string) {
  const { stdout } = await cluster.controlPlane.kubectl(["get", "phnode", node, "-o", "json"]);
  const { spec, status } = JSON.parse(stdout) as { spec: { policies: object[] }; status: NodeStateStatus };
  return { assigned: spec.policies.length, previews: status.previews };
}

describe("a revision that waits for its turn", { timeout: 240_000 }, () => {
  it("is shown with what it would cut on each node, while it changes nothing", async () => {
    await cluster.apply(web("203.0.113.0/24", { paused: true }));
    await waitForPolicy("jsonpath={.status.preview.looked}=3");
    for (const node of nodes) {
      const { assigned, previews = [] } = await previewOn(node);
      expect(assigned).toBe(0);
      expect(previews).toMatchObject([
        {
          name: "web",
          outcome: "Cuts",
          cut: 2,
          refused: 0,
          sshSessions: 0,
          top: [{ effect: "Cut", direction: "Inbound", peer: stranger, port: served.hostPort, connections: 2 }],
        },
      ]);
      expect(previews[0]?.top?.[0]?.process).toEqual(expect.any(String));
    }
    expect(await outcomes(10_000)).toEqual(open.map(() => "echoed"));
  });

  it("is counted over the nodes for whoever looks at the policy or its roll-out", async () => {
    const sentence = new RegExp(`would cut 6 connections to ${served.hostPort}/tcp \\(.+\\) on 3 nodes`);
    const { stdout: wide } = await cluster.controlPlane.kubectl(["get", "phpol", "web", "-o", "wide"]);
    expect(wide).toMatch(sentence);
    const { stdout: described } = await cluster.controlPlane.kubectl(["describe", "phpol", "web"]);
    expect(described).toMatch(sentence);
    expect(await program("rollout", "status", "web", "--watch=false")).toMatch(sentence);
  });

  it("cuts what it said when it comes", async () => {
    await program("rollout", "resume", "web");
    await waitForPolicy("condition=Ready");
    const expected = nodes.flatMap(() => ["silent", "silent", "echoed"]);
    await expect.poll(() => outcomes(1_000), { timeout: 60_000 }).toEqual(expected);
    const { stdout } = await cluster.controlPlane.kubectl(["get", "phpol", "web", "-o", "jsonpath={.status.preview}"]);
    expect(stdout).toBe("");
    for (const node of nodes) expect(await previewOn(node)).toEqual({ assigned: 1, previews: [] });
  });

  it("goes beyond the canary only when status shows it, and costs each node one write", async () => {
    const seen = await follow();
    await cluster.apply(web("203.0.113.128/25"));
    await expect.poll(rolledOut, { timeout: 120_000, interval: 250 }).toBe(true);
    await seen.stop();
    for (const node of ["node2", "node3"]) {
      const handed = seen.handed(node);
      const before = seen.previews.filter(({ at, preview }) => at < handed.at && preview?.revision === handed.hash);
      // Who lets nobody in whose connection is open: that of the office is cut too.
      expect(before.at(-1)?.preview).toMatchObject({ looked: 2, awaited: 0, cut: 2, cutsOn: 2 });
      // The preview, and the revision itself.
      expect(seen.writes(node)).toBe(2);
      // What it says, and that nothing waits any more.
      expect(seen.answers(node)).toEqual([[], [expect.objectContaining({ hash: handed.hash, cut: 1 })], []]);
    }
  });
});

/** Follows what is written, in the order in which it was. */
async function follow() {
  const client = kubeClient(loadKubeConfig(kubeconfig));
  const end = new AbortController();
  const order = ({ metadata }: KubeObject) => Number(metadata.resourceVersion);
  const previews: { readonly at: number; readonly preview: ComingSummary | undefined }[] = [];
  type State = KubeObject & {
    readonly spec?: { readonly policies: readonly { readonly name: string; readonly hash: string }[] };
    readonly status?: NodeStateStatus;
  };
  const states = new Map<string, { at: number; state: State }[]>();
  const policies = reflector<KubeObject & { readonly status?: { readonly preview?: ComingSummary } }>({
    client,
    resource: resources.policies,
    parse: (object) => object,
    onChange: ({ after }) => {
      if (after !== undefined) previews.push({ at: order(after), preview: after.status?.preview });
    },
  });
  const nodeStates = reflector<State>({
    client,
    resource: resources.nodeStates,
    parse: (object) => object as State,
    onChange: ({ key: { name }, after }) => {
      if (after !== undefined) states.set(name, [...(states.get(name) ?? []), { at: order(after), state: after }]);
    },
  });
  const running = Promise.all([policies.run(end.signal), nodeStates.run(end.signal)]);
  await expect.poll(() => policies.store.synced && nodeStates.store.synced, { timeout: 30_000 }).toBe(true);
  /** Every value in a row that differs from the one before. */
  const values = <T>(node: string, of: (state: State) => T): T[] => {
    const all = (states.get(node) ?? []).map(({ state }) => of(state));
    return all.filter((value, index) => index === 0 || !isDeepStrictEqual(value, all[index - 1]));
  };
  return {
    previews,
    /** When the node got another revision than it had, and which. */
    handed(node: string) {
      const all = (states.get(node) ?? []).map(({ at, state }) => ({ at, hash: state.spec?.policies[0]?.hash ?? "" }));
      const next = all.find(({ hash }) => hash !== all[0]?.hash);
      if (next === undefined) throw new Error(`${node} was handed nothing`);
      return next;
    },
    /** How often its spec was written. */
    writes: (node: string) => values(node, ({ metadata }) => metadata.generation).length - 1,
    answers: (node: string) => values(node, ({ status }) => status?.previews),
    async stop() {
      end.abort();
      await running;
      await client.close();
    },
  };
}
