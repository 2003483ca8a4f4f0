import type { PolicyStatus } from "../../../src/api/policy.ts";
import { reflector } from "../../../src/kube/reflector.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type ControllerLab, condition } from "./controller-lab.ts";
import { specPolicies } from "./fake-agents.ts";

/** Some nodes of a controller lab with one policy of the same name, all of which enforce its first revision. */
export interface Pool {
  readonly nodes: readonly string[];
  /** Changes what the policy asks for. */
  edit(spec?: object): Promise<void>;
  /** Nodes whose NodeState has another revision than when the pool was made, sorted. */
  handed(): Promise<readonly string[]>;
  /** Waits until exactly these have, then until the controller is idle, and looks again. */
  handedAre(names: readonly string[]): Promise<void>;
  annotate(annotation: string): Promise<void>;
}

let edits = 0;

export async function startPool(lab: ControllerLab, name: string, count: number, rollout: object): Promise<Pool> {
  const nodes = Array.from({ length: count }, (_, index) => `${name}-${String.fromCharCode(97 + index)}`);
  for (const node of nodes) await lab.addNode(node, { labels: { pool: name } });
  await lab.addPolicy(name, { nodeSelector: { matchLabels: { pool: name } }, rollout });
  const status = await lab.statusWhere(
    name,
    (seen) => condition(seen, "Ready") === "True" && seen.nodes?.enforced === count,
  );
  const before = status.rollout?.revision;
  const kubectl = (...args: string[]) => lab.controlPlane.kubectl(args);

  async function handed(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const node of nodes) {
      const element = (await lab.policiesOn(node)).find((policy) => policy.name === name);
      if (element?.hash !== before) found.push(node);
    }
    return found;
  }

  return {
    nodes,
    handed,
    async edit(spec = {}) {
      edits += 1;
      const ephemeralPorts = { range: `${40_000 + edits}-60000` };
      await kubectl(
        "patch",
        "phpol",
        name,
        "--type=merge",
        "-p",
        JSON.stringify({ spec: { ephemeralPorts, ...spec } }),
      );
    },
    async handedAre(names) {
      let seen: readonly string[] = [];
      let status: PolicyStatus = {};
      const probe = async () => {
        seen = await handed();
        status = await lab.statusOf(name);
        return seen.join() === names.join() ? true : undefined;
      };
      await waitFor(`${name} to be handed to ${names.join() || "nobody"}`, probe, {
        timeoutMilliseconds: 20_000,
        lastSeen: () => `${seen.join()} ${JSON.stringify(status)}`,
      });
      await fleetLookedAt(lab);
      const after = await handed();
      if (after.join() !== names.join())
        throw new Error(`${name} was handed to ${after.join()}, not ${names.join()} alone`);
    },
    async annotate(annotation) {
      await kubectl("annotate", "--overwrite", `phpol/${name}`, annotation);
    },
  };
}

/** Waits until the controller has looked at the whole fleet again: what it would do wrongly it has done by then. */
async function fleetLookedAt(lab: ControllerLab): Promise<void> {
  const mark = `mark-${(edits += 1)}`;
  await lab.addNode(mark, { labels: { pool: "none" } });
  // Its NodeState is written by the pass that follows.
  await lab.policiesBecome(mark, []);
  const made = async () =>
    (await lab.admin.get(resources.nodeStates, { name: mark })) === undefined ? undefined : true;
  await waitFor(`the NodeState of ${mark}`, made, { timeoutMilliseconds: 20_000 });
  await lab.admin.delete(resources.nodes, { name: mark });
}

/** Follows all NodeStates, in the order in which they were written. */
export function followUnderWay(client: KubeClient, policy: string) {
  const states = new Map<string, { readonly assigned: string | undefined; readonly enforced: string | undefined }>();
  const end = new AbortController();
  let most = 0;
  let revision: string | undefined;
  const underWay = () =>
    [...states.values()].filter(({ assigned, enforced }) => assigned === revision && enforced !== revision).length;
  const watching = reflector<KubeObject>({
    client,
    resource: resources.nodeStates,
    parse: (object) => object,
    onChange: ({ key: { name }, after }) => {
      const assigned = specPolicies(after).find((element) => element.name === policy)?.hash;
      states.set(name, { assigned, enforced: enforcedIn(after, policy) });
      if (revision !== undefined) most = Math.max(most, underWay());
    },
  });
  const running = watching.run(end.signal);
  return {
    /** From here on. */
    watchFor(hash: string) {
      revision = hash;
      most = underWay();
    },
    most: () => most,
    async stop() {
      end.abort();
      await running;
    },
  };
}

function enforcedIn(state: KubeObject | undefined, policy: string): string | undefined {
  const { status } = (state ?? {}) as {
    readonly status?: { readonly policies?: readonly { name: string; hash: string; state: string }[] };
  };
  const said = status?.policies?.find(({ name }) => name === policy);
  return said?.state === "Enforced" ? said.hash : undefined;
}
