import type { NodePlan } from "../plan/node-plan.ts";
import type { Packet } from "../simulate/packet.ts";
import { type Decision, scopesOf, type TrustedRole } from "./decision.ts";

/** Why a packet passes or not, in a sentence. */
export function decisionWords(decision: Decision, packet: Packet, plan: NodePlan): string {
  const leaves = "out" in packet;
  switch (decision.kind) {
    case "NothingJudged":
      return `no policy judges${leaves ? "" : " or limits"} ${packet.protocol.toUpperCase()} ${leaves ? "that leaves" : "that comes in"} here`;
    case "Loopback":
      return "loopback is never judged";
    case "NotOpened":
      return leaves
        ? "the node does not open a connection to another host"
        : "it does not open a connection to the node itself";
    case "OutOfScope":
      return "no policy has this port, protocol and interface in scope";
    case "Failsafe": {
      const { peers } = decision.failsafe;
      const whom = peers === "Nodes" ? "nodes and API endpoints" : peers === "Everybody" ? "everybody" : "it alone";
      const [open, why] = leaves ? ["leads to", "the node is not cut off"] : ["is open to", "nobody is locked out"];
      return `failsafe "${decision.failsafe.name}" ${open} ${whom} before any policy, so that ${why}`;
    }
    case "TrustedCluster":
      return `it ${leaves ? "goes to" : "comes from"} the trusted cluster${roleWords(decision.role)} (trustCluster)`;
    case "Allow":
    case "Deny":
      return `policy ${decision.policy}, ${decision.kind.toLowerCase()} "${decision.entry}"`;
    case "Default":
      return defaultWords(decision, packet, plan);
  }
}

function roleWords(role: TrustedRole | undefined): string {
  if (role === undefined) return "";
  return `: ${{ nodes: "a node or API endpoint", pods: "a pod", services: "the service network" }[role]}`;
}

function defaultWords(
  { policy, defaultAction }: Extract<Decision, { kind: "Default" }>,
  packet: Packet,
  plan: NodePlan,
): string {
  const scopes = scopesOf(packet, plan);
  const others = scopes
    .slice(scopes.findIndex((one) => one.policy === policy) + 1)
    .filter((scope) => judges(scope, packet));
  const first = others.length === 0 ? "" : `; it comes before policy ${others.map((one) => one.policy).join(", ")}`;
  return `policy ${policy} judges this port, and no allow of any policy covers it (defaultAction ${defaultAction}${first})`;
}

/** Whether a policy's scope has a packet's port and protocol; its interfaces decide besides. */
function judges(
  { ports, protocols }: NodePlan["inbound"][number],
  { protocol, destinationPort: port }: Packet,
): boolean {
  return (
    protocols.some((one) => one.toLowerCase() === protocol) && ports.some(({ from, to }) => from <= port && port <= to)
  );
}
