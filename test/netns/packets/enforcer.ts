import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { API_VERSION, POLICY_KIND } from "../../../src/api/group.ts";
import { parsePolicy } from "../../../src/api/parse.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import { compile } from "../../../src/plan/compile.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS, type NodeSettings } from "../../../src/plan/node-settings.ts";
import { assign } from "../../../src/plan/plan-hash.ts";
import type { AssignedPolicy, GroupAddresses } from "../../../src/plan/types.ts";
import { render } from "../../../src/render/render.ts";
import type { RuleSet } from "../../../src/render/types.ts";
import type { NetworkNamespace } from "../../lab/network-namespace.ts";
import { namespaceHost } from "../kernel/namespace-host.ts";

/** Enforces policies in a namespace as an agent would, without an agent: compile, merge, render, apply. */
export interface Enforcer {
  readonly kernel: Kernel;
  /** Replaces what was enforced. `specs` by policy name, as a user writes them. */
  enforce(specs: Readonly<Record<string, object>>, groups?: readonly GroupAddresses[]): Promise<void>;
  clear(): Promise<void>;
  /** What was enforced last, as rendered. */
  rules(): RuleSet;
}

export async function createEnforcer(node: NetworkNamespace, installed: Partial<NodeSettings> = {}): Promise<Enforcer> {
  const settings = { ...DEFAULT_NODE_SETTINGS, ...installed };
  const { markBit } = settings;
  const sysctlDir = join(node.folder, "sysctl.d");
  await mkdir(sysctlDir, { recursive: true });
  const kernel = linuxKernel({
    host: namespaceHost(node.namespace),
    stateDir: join(node.folder, "state"),
    sysctlDir,
    markBit,
  });
  let held: RuleSet = { tables: [], sets: [], sysctls: [] };
  return {
    kernel,
    clear: () => kernel.clear(),
    rules: () => held,
    async enforce(specs, groups = []) {
      held = render(merge(assignedOf(specs), groups, settings));
      await kernel.apply(held);
    },
  };
}

/** Policies as compiled for a node without labels. */
export function assignedOf(specs: Readonly<Record<string, object>>): AssignedPolicy[] {
  return Object.entries(specs).flatMap(([name, spec]) => {
    const object = {
      apiVersion: API_VERSION,
      kind: POLICY_KIND,
      metadata: { name, uid: `uid-${name}` },
      spec: { mode: "Enforce", ...spec },
    };
    const policy = parsePolicy(object);
    const plan = compile(policy, { name: "node", labels: {} }, { allowedSysctls: ["net.ipv4.*"] });
    return plan === undefined ? [] : [assign({ metadata: { name, uid: `uid-${name}` }, spec: policy.spec }, plan)];
  });
}

/** A group as the controller publishes the cluster's own addresses. */
export function clusterGroup(
  role: "nodes" | "pods" | "apiservers" | "service-cidrs" | "vips",
  addresses: readonly string[],
): GroupAddresses {
  return { name: `cluster-${role}-0`, labels: { "porthardening.io/cluster": role }, addresses };
}
