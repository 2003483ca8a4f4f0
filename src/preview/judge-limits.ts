/** Whom limits on concurrent connections would keep from opening again what is open now. */
import { hasPort, type Judge, judge, onInterface } from "../plan/judge.ts";
import type { Family, NodeConcurrencyLimit, NodePlan } from "../plan/node-plan.ts";
import { formatPrefix, parsePrefix } from "../plan/prefix-text.ts";
import { flowDevices } from "./devices.ts";
import type { Flow, Gap, LimitHit } from "./types.ts";

type Hit = Omit<LimitHit, "nodes" | "atLeast">;
type Counts = ReadonlyMap<string, Hit>;

/**
 * A limit counts what is opened from the time when it comes (`render/connlimit.ts`), so nothing that is open is cut by it; but who has more
 * open than it allows cannot open all of that again. Limits that allow no less than before are no news.
 */
export function limitJudge(before: NodePlan, after: NodePlan): (flows: readonly Flow[]) => readonly Hit[] {
  const devices = flowDevices([before, after]);
  const [was, is] = [counter(before, devices), counter(after, devices)];
  return (flows) => {
    const known = was(flows);
    return [...is(flows)].flatMap(([key, hit]) => (hit.over > (known.get(key)?.over ?? 0) ? [hit] : []));
  };
}

/** How often sources connect is not seen by looking once. */
export function unjudgedRates(before: NodePlan, after: NodePlan): Gap[] {
  const known = new Set(before.rateLimits.map(({ hash }) => hash));
  const count = after.rateLimits.filter((limit) => "newConnections" in limit && !known.has(limit.hash)).length;
  return count === 0 ? [] : [{ reason: "RatesNotJudged", count }];
}

function counter(plan: NodePlan, devicesOf: (flow: Flow) => readonly string[]): (flows: readonly Flow[]) => Counts {
  const limits = plan.rateLimits.filter((limit) => "maxConcurrent" in limit);
  if (limits.length === 0) return () => new Map();
  const judged = judge(plan);
  return (flows) => {
    const open = new Map<string, Hit>();
    for (const flow of flows) {
      // The first is that of before a translation; behind it limits do not count.
      const [opening] = flow.openings;
      if (opening?.direction !== "Inbound") continue;
      const devices = devicesOf(flow);
      for (const limit of limits) {
        const counting = devices.filter((device) => counts(limit, flow, device, judged));
        if (counting.length === 0) continue;
        const source = sourceOf(limit, opening.family, opening.peer);
        const key = `${limit.policy} ${limit.name} ${source}`;
        const { connections = 0, certainty = "Certain" } = open.get(key) ?? {};
        const total = connections + flow.connections;
        const { policy, name, maxConcurrent } = limit;
        open.set(key, {
          policy,
          limit: name,
          maxConcurrent,
          source,
          connections: total,
          over: total - maxConcurrent,
          certainty: counting.length < devices.length ? "Depends" : certainty,
        });
      }
    }
    return open;
  };
}

/** Limits come last: on what no failsafe, trust or refusal has decided about. */
function counts(
  { protocols, ports, interfaces, exempt }: NodeConcurrencyLimit,
  { openings: [opening] }: Flow,
  device: string,
  judged: Judge,
): boolean {
  if (opening === undefined) return false;
  return (
    protocols.includes(opening.protocol) &&
    hasPort(ports, opening.port) &&
    onInterface(interfaces, device) &&
    !judged.holds(exempt, opening.family, opening.peer) &&
    !judged.passesFirst(opening, device) &&
    judged.refusal(opening, device) === undefined
  );
}

/** The source that the limit counts as one. */
function sourceOf({ prefixLength: { ipv4, ipv6 } }: NodeConcurrencyLimit, family: Family, peer: string): string {
  const [length, whole] = family === 4 ? [ipv4, 32] : [ipv6, 128];
  return length === whole ? peer : formatPrefix(parsePrefix(`${peer}/${length}`));
}
