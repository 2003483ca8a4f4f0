import { type AlertCases, always, ofAgent, ofPolicy, problem, target } from "./case.ts";

const dropped = ofAgent("dropped_packets_total", { policy: "p", direction: "Inbound", entry: "default" });
const verified = ofAgent("last_verified_timestamp_seconds");
export const enforcementCases: Readonly<Record<string, AlertCases>> = {
  PortHardeningDropsSpike: {
    fires: {
      // A packet a minute for hours, then twenty a second.
      series: { [dropped]: "0+1x600 600+1200x60" },
      at: "630m",
      labels: { policy: "p", direction: "Inbound" },
      summary: "Policy p drops 20 Inbound packets a second",
    },
    quiet: {
      "it drops as much as ever": { series: { [dropped]: "0+1200x700" }, at: "630m" },
      "ten times of next to nothing is little": { series: { [dropped]: "0+1x600 600+60x60" }, at: "630m" },
      "nothing is known of before": { series: { [dropped]: "0+1200x12" }, at: "12m" },
    },
  },
  PortHardeningPolicyNotEnforced: {
    fires: {
      series: { [ofPolicy("nodes", { outcome: "Failed" })]: always(3) },
      at: "20m",
      labels: { policy: "p", outcome: "Failed" },
      summary: "Policy p is not enforced on 3 nodes (Failed)",
    },
    quiet: {
      "it is a roll-out": { series: { [ofPolicy("nodes", { outcome: "Pending" })]: "0 3 2 1 0+0x30" }, at: "20m" },
      "it is enforced": { series: { [ofPolicy("nodes", { outcome: "Enforced" })]: always(3) }, at: "20m" },
    },
  },
  PortHardeningPolicyNotEnforceable: {
    fires: {
      series: { [ofPolicy("nodes", { outcome: "NotEnforceable" })]: always(1) },
      at: "10m",
      labels: { policy: "p" },
      summary: "Something lets traffic past policy p on 1 nodes",
    },
    quiet: { "nothing does": { series: { [ofPolicy("nodes", { outcome: "NotEnforceable" })]: always(0) }, at: "10m" } },
  },
  PortHardeningOutdated: {
    fires: {
      series: { [ofPolicy("nodes", { outcome: "Outdated" })]: always(2) },
      at: "20m",
      labels: { policy: "p" },
      summary: "Agents on 2 nodes cannot be told of policy p",
    },
    quiet: {
      "agents are being upgraded": {
        series: { [ofPolicy("nodes", { outcome: "Outdated" })]: "3+0x10 0+0x30" },
        at: "20m",
      },
    },
  },
  PortHardeningNotVerified: {
    fires: {
      series: { [verified]: always(60) },
      at: "31m",
      labels: target,
      summary: "Rules of a were last found right 30m 0s ago",
    },
    quiet: {
      "they are found right each minute": { series: { [verified]: "0+60x60" }, at: "31m" },
      "nothing is enforced": { series: { [ofAgent("applies_total")]: always(0) }, at: "31m" },
    },
  },
  PortHardeningDriftFight: problem("Drifting", "10m", "Somebody undoes the rules of a again and again"),
  PortHardeningStateNotSaved: problem("StateNotSaved", "35m", "The agent of a cannot save its state"),
};
