import type { Opening } from "../plan/connections.ts";
import { FOUND_SSH } from "../plan/found-failsafes.ts";
import { hasPort, type Judge, judge } from "../plan/judge.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import type { FlowFate } from "./judge-flow.ts";
import type { Flow, Place, Sessions } from "./types.ts";

export type SessionFate = Pick<Sessions, "peer" | "port" | "sessions" | "fate" | "by">;

/** Ports on which somebody may be logged in: that of SSH, and those of its servers wherever they listen. What the node showed as such comes on top. */
export function sshPorts(places: readonly Place[]): ReadonlySet<number> {
  const servers = places.filter(({ kind, name = "" }) => kind === "Listener" && /^(sshd|dropbear)/.test(name));
  return new Set([22, ...servers.map(({ port }) => port)]);
}

/** Says of SSH sessions whether they stay, and what sees to that. undefined: it is none. */
export function sessionJudge(
  after: NodePlan,
): (flow: Flow, fate: FlowFate | undefined, ports: ReadonlySet<number>) => SessionFate | undefined {
  const judged = judge(after);
  const shown = after.failsafes.inbound.filter(({ name }) => name === FOUND_SSH).flatMap(({ ports }) => ports);
  return ({ openings: [opening], connections: sessions }, fate, ports) => {
    if (opening?.direction !== "Inbound" || opening.protocol !== "TCP") return undefined;
    if (!ports.has(opening.port) && !shown.some((range) => hasPort([range], opening.port))) return undefined;
    const { peer, port } = opening;
    if (fate === undefined) return { peer, port, sessions, fate: "Kept", by: keptBy(after, judged, opening) };
    const { policy, entry } = fate.refusal;
    return { peer, port, sessions, fate: fate.effect, by: `policy ${policy}, ${entry}` };
  };
}

/** What lets it through, or that nothing new keeps it out. */
function keptBy(plan: NodePlan, { holds }: Judge, { protocol, port, family, peer }: Opening): string {
  const failsafe = plan.failsafes.inbound.find(
    (one) =>
      one.protocol === protocol &&
      hasPort(one.ports, port) &&
      (one.peers === "Everybody" || holds(plan.trust.nodes, family, peer)),
  );
  const judging = plan.inbound.filter(({ protocols, ports }) => protocols.includes(protocol) && hasPort(ports, port));
  if (judging.length === 0) return "no policy judges it";
  if (failsafe !== undefined) return `failsafe ${failsafe.name}`;
  return "what the policies allow, as before";
}
