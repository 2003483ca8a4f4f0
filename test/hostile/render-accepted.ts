import { parseAddressGroup, parsePolicy } from "../../src/api/parse.ts";
import { compile } from "../../src/plan/compile.ts";
import { CompileError } from "../../src/plan/compile-error.ts";
import { merge } from "../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../src/plan/node-settings.ts";
import { assign } from "../../src/plan/plan-hash.ts";
import type { AssignedPolicy, GroupAddresses } from "../../src/plan/types.ts";
import { render } from "../../src/render/render.ts";
import type { RuleSet } from "../../src/render/types.ts";
import type { World } from "../differential/world-facts.ts";
import { clusterGroup } from "../netns/packets/enforcer.ts";

/** What an accepted policy meets on its node. */
export const WORLD: World = {
  nodeLabels: { role: "worker" },
  nodes: ["198.18.0.12/32", "2001:db8:18::12/128"],
  members: [],
  apiservers: ["203.0.113.70/32"],
  pods: ["198.19.1.0/24", "2001:db8:19:1::/64"],
  vips: ["198.19.240.10/32", "198.19.240.11/32"],
  serviceCidrs: ["198.19.240.0/24", "2001:db8:96::/112"],
  podsOnUplink: false,
  groups: [
    { name: "partners", labels: { list: "partners" }, addresses: ["203.0.113.0/26", "2001:db8:113::/48"] },
    { name: "blocklist", labels: { list: "bad" }, addresses: ["198.51.100.0/24"] },
  ],
};
const GROUPS: readonly GroupAddresses[] = [
  clusterGroup("nodes", WORLD.nodes),
  clusterGroup("apiservers", WORLD.apiservers),
  clusterGroup("pods", WORLD.pods),
  clusterGroup("vips", WORLD.vips),
  clusterGroup("service-cidrs", WORLD.serviceCidrs),
  ...WORLD.groups,
];
/** Narrower than what admission takes: the allow-list is fixed at install. */
const OPTIONS = { allowedSysctls: ["net.*.*", "net.*.*.*", "kernel.*"] };

/** The policy as it is handed to the node; undefined where it is for other nodes. */
function assignedOf(object: unknown): AssignedPolicy | undefined {
  const policy = parsePolicy(object);
  const plan = compile(policy, { name: "node", labels: WORLD.nodeLabels }, OPTIONS);
  return plan && assign(policy, plan);
}

/**
 * What a node would enforce of a policy that was accepted; undefined where it is for other nodes, or where the node refuses
 * it for its sysctls or its schedule, which only a compiler can judge.
 */
export function renderPolicy(object: unknown): RuleSet | undefined {
  try {
    const assigned = assignedOf(object);
    return assigned && renderAssigned([assigned]);
  } catch (error) {
    if (error instanceof CompileError && /^spec\.(sysctls\[|audit\.schedule$)/.test(error.field)) return undefined;
    throw error;
  }
}

/** What a node would enforce of several; throws where it refuses one. */
export function renderPolicies(objects: readonly unknown[]): RuleSet {
  return renderAssigned(objects.flatMap((object) => assignedOf(object) ?? []));
}

/** What a node would enforce where an allow, a deny and an exemption name a group that was accepted. */
export function renderGroup(object: unknown): RuleSet {
  const { metadata, spec } = parseAddressGroup(object);
  const { labels = {}, name } = metadata;
  const from = [{ addressGroup: { name } }];
  const inbound = { allow: [{ name: "some", from }], deny: [{ name: "others", from }] };
  const rateLimits = [{ name: "rate", newConnections: { limit: 1, per: "Second", burst: 1 }, exempt: from }];
  const policy = parsePolicy({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "naming" },
    spec: { mode: "Enforce", firewall: { inbound }, rateLimits },
  });
  const plan = compile(policy, { name: "node", labels: {} }, OPTIONS);
  if (plan === undefined) throw new Error("the policy is for every node");
  return renderAssigned([assign(policy, plan)], [{ name, labels, addresses: spec.addresses }]);
}

export function renderAssigned(assigned: readonly AssignedPolicy[], more: readonly GroupAddresses[] = []): RuleSet {
  return render(merge(assigned, [...GROUPS, ...more], DEFAULT_NODE_SETTINGS));
}
