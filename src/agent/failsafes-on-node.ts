import { clipText } from "../api/condition.ts";
import { FAILSAFES_ON_NODE_MAX, type FailsafeOnNode } from "../api/failsafes-on-node.ts";
import { canonicalJson } from "../plan/canonical-json.ts";
import { type FoundFact, factsBehind } from "../plan/found-failsafes.ts";
import type { NodeFailsafe, NodePlan } from "../plan/node-plan.ts";
import { formatReservedPorts } from "../plan/port-sysctls.ts";

const TEXT_MAX = 256;
const PEERS_MAX = 512;
const ORIGINS = ["Found", "Installed", "Default"] as const;

/** What passes before any policy by `plan`, for a status; the same in both directions is told once. Pure. */
export function failsafesOnNode(plan: NodePlan | undefined, facts: readonly FoundFact[]): FailsafeOnNode[] {
  if (plan === undefined) return [];
  const { inbound, outbound } = plan.failsafes;
  const told = (one: NodeFailsafe, direction: FailsafeOnNode["direction"]) => onNode(one, direction, plan, facts);
  const back = new Set(outbound.map(canonicalJson));
  const both = new Set(inbound.map(canonicalJson).filter((text) => back.has(text)));
  const all = [
    ...inbound.map((one) => told(one, both.has(canonicalJson(one)) ? "Both" : "Inbound")),
    ...outbound.filter((one) => !both.has(canonicalJson(one))).map((one) => told(one, "Outbound")),
  ];
  return ORIGINS.flatMap((origin) => all.filter((one) => one.origin === origin)).slice(0, FAILSAFES_ON_NODE_MAX);
}

function onNode(
  { name, protocol, ports, peers, origin: named }: NodeFailsafe,
  direction: FailsafeOnNode["direction"],
  { sets }: NodePlan,
  facts: readonly FoundFact[],
): FailsafeOnNode {
  const origin = named ?? "Default";
  const addresses = () => {
    const names = typeof peers === "string" ? [] : Object.values(peers.sets);
    return sets.flatMap((set) => (names.includes(set.name) ? set.entries : [])).join(", ");
  };
  const behind = origin === "Found" ? factsBehind(name, facts) : [];
  const evidence = [...new Set(behind.map((fact) => fact.evidence))].join("; ");
  return {
    name,
    direction,
    protocol,
    ports: clipText(formatReservedPorts(ports), TEXT_MAX),
    peers: typeof peers === "string" ? peers : clipText(addresses(), PEERS_MAX),
    origin,
    ...(evidence === "" ? {} : { evidence: clipText(evidence, TEXT_MAX) }),
  };
}
