import { expect, it } from "vitest";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { assigned } from "./policies.ts";

const firewall = { inbound: {} };
const logsOf = (...policies: ReturnType<typeof assigned>[]) => merge(policies, [], DEFAULT_NODE_SETTINGS).dropLogs;

it("logs the drops of policies that enforce and ask for it, and of no other", () => {
  const monitoring = { dropLog: { perMinute: 30 } };
  const asks = assigned({ firewall, monitoring }, "asks");
  const silent = assigned({ firewall, monitoring: { listeners: {} } }, "silent");
  const observes = assigned({ mode: "Observe", firewall, monitoring }, "observes");
  expect(logsOf(asks, silent, observes)).toEqual([{ policy: "asks", perMinute: 30 }]);
  expect(logsOf(silent, observes)).toBeUndefined();
  expect(logsOf(assigned({ sysctls: {}, monitoring }, "drops-nothing"))).toBeUndefined();
});
