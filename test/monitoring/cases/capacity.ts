import { type AlertCases, always, type FiringCase, finding, ofAgent, target } from "./case.ts";

const conntrackUsed = ofAgent("conntrack_entries");
const conntrackMax = ofAgent("conntrack_entries_max");
/** A share of what there is. */
function share(used: string, size: string, max: number, at: string, rest: Pick<FiringCase, "labels" | "summary">) {
  const full = (part: number) => ({ [used]: always(max * part), [size]: always(max) });
  return {
    fires: { series: full(0.9), at, ...rest },
    quiet: {
      "there is room": { series: full(0.7), at },
      "it was full for a moment": { series: { [used]: `0 ${max} 0+0x60`, [size]: always(max) }, at },
    },
  };
}

const sources = ofAgent("limit_sources", { policy: "p", limit: "l", family: "ipv4" });
const sourcesMax = ofAgent("limit_sources_max", { policy: "p", limit: "l", family: "ipv4" });
const limitTable = share(sources, sourcesMax, 65_536, "10m", {
  labels: { ...target, policy: "p", limit: "l", family: "ipv4" },
  summary: "Limit l of policy p remembers 90% of the ipv4 sources that it can, on a",
});

export const capacityCases: Readonly<Record<string, AlertCases>> = {
  PortHardeningLimitTableNearFull: {
    fires: limitTable.fires,
    quiet: {
      ...limitTable.quiet,
      "the table is of a limit on the total, and always full": {
        series: { [sources]: always(1), [sourcesMax]: always(1) },
        at: "10m",
      },
    },
  },
  PortHardeningConntrackNearFull: {
    ...share(conntrackUsed, conntrackMax, 1000, "10m", {
      labels: target,
      summary: "Connection tracking of a is 90% full",
    }),
  },
  PortHardeningLocalPortsNearExhaustion: {
    fires: {
      series: { [finding("connections.local-ports-near-exhaustion", "high")]: always(2) },
      at: "10m",
      labels: target,
      summary: "a runs out of local ports towards 2 destinations",
    },
    quiet: {
      "it was so for a moment": {
        series: { [finding("connections.local-ports-near-exhaustion", "medium")]: "1 1 _ _ _ _ _ _ _ _ _ _" },
        at: "10m",
      },
      "it is conntrack": { series: { [finding("connections.conntrack-near-full", "high")]: always(1) }, at: "10m" },
    },
  },
};
