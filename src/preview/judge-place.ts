import type { Family, NodePlan } from "../plan/node-plan.ts";
import type { Prefix } from "../plan/prefix.ts";
import { parsePrefix } from "../plan/prefix-text.ts";
import { admissionChanges, changeWithin, passesNodes, reachAt, type Spot } from "./admission.ts";
import { outsideDevices } from "./devices.ts";
import type { Place, PlaceHit, Reach } from "./types.ts";

export type PlaceFate = Pick<PlaceHit, "change" | "before" | "after" | "interfaces" | "family">;

type Where = Pick<Place, "protocol" | "address" | "port" | "sources">;

/**
 * Says how it changes who outside of the node gets through to a place: nothing, or a fate for each way in which interfaces
 * and families differ. Answers are kept: a fleet asks the same of a thousand nodes.
 */
export function placeJudge(
  before: NodePlan,
  after: NodePlan,
  known: readonly string[] | undefined,
): (place: Where) => readonly PlaceFate[] {
  const devices = outsideDevices([before, after], known);
  const [was, is] = [reachAt(before), reachAt(after)];
  const sources = admissionChanges(before, after);
  const within = changeWithin(before, after);
  const answers = new Map<string, readonly PlaceFate[]>();

  function fateAt(spot: Spot): Pick<PlaceHit, "change" | "before" | "after"> | undefined {
    const [had, has] = [was(spot), is(spot)];
    const change = changeOf(had, has) ?? (had === "Some" ? sourcesChange(sources(spot)) : undefined);
    // Who are let in anew may be strangers, while nodes are not any more.
    const lost =
      change === "Opened" && passesNodes(before, spot) && !passesNodes(after, spot) && RANKS[has] < RANKS.Everybody;
    return change && { change: lost ? "Changed" : change, before: had, after: has };
  }

  /** Whom the place itself lets in no policy can let in or keep out. */
  function fateWithin(
    spot: Spot,
    ranges: readonly Prefix[],
  ): Pick<PlaceHit, "change" | "before" | "after"> | undefined {
    const found = within(spot, ranges);
    if (found === "Unknown") return { change: "Changed", before: "Some", after: "Some" };
    const { loses, gains, before: had, after: has } = found;
    if (!loses) return gains ? { change: "Opened", before: had, after: has } : undefined;
    const change = has === "Nobody" ? "Closed" : gains ? "Changed" : "Narrowed";
    return { change, before: had, after: has };
  }

  function fates({ protocol, port, address, sources: own }: Where): PlaceFate[] {
    const ranges = own?.map(parsePrefix);
    const families = familiesOf(address);
    const seen = families.flatMap((family) =>
      devices.flatMap((device) => {
        const spot = { protocol, port, device, family };
        const fate = ranges === undefined ? fateAt(spot) : fateWithin(spot, ranges);
        return fate === undefined ? [] : [{ ...fate, family, device }];
      }),
    );
    const alike = Map.groupBy(seen, (one) => `${one.change} ${one.before} ${one.after}`);
    return [...alike.values()].flatMap((all) => {
      const [first] = all;
      if (first === undefined) return [];
      const { device: _, family, ...fate } = first;
      const interfaces = [...new Set(all.map(({ device }) => device))];
      const oneFamily = families.length > 1 && all.every((one) => one.family === family);
      return [{ ...fate, ...(interfaces.length < devices.length && { interfaces }), ...(oneFamily && { family }) }];
    });
  }

  return (place) => {
    const key = `${place.protocol} ${familiesOf(place.address).join()} ${place.port} ${place.sources?.join() ?? ""}`;
    const found = answers.get(key) ?? fates(place);
    answers.set(key, found);
    return found;
  };
}

const RANKS: Readonly<Record<Reach, number>> = { Unjudged: 3, Everybody: 3, Some: 2, Cluster: 1, Nobody: 0 };

function changeOf(before: Reach, after: Reach): PlaceHit["change"] | undefined {
  const [from, to] = [RANKS[before], RANKS[after]];
  if (to === from) return undefined;
  if (to > from) return "Opened";
  return to <= RANKS.Cluster ? "Closed" : "Narrowed";
}

function sourcesChange(change: ReturnType<ReturnType<typeof admissionChanges>>): PlaceHit["change"] | undefined {
  if (change === "Unknown") return "Changed";
  if (change.loses) return change.gains ? "Changed" : "Narrowed";
  return change.gains ? "Opened" : undefined;
}

function familiesOf(address: string): readonly Family[] {
  if (address === "::") return [4, 6];
  return address.includes(":") ? [6] : [4];
}
