import { expect, it } from "vitest";
import { explain, explanationText } from "../../../src/cli/explanation.ts";
import { nodeRules } from "../../../src/cli/node-rules.ts";
import { parsePacket } from "../../../src/cli/packet-text.ts";
import { restoreText } from "../../../src/cli/restore-text.ts";
import { policy } from "../plan/policies.ts";

const block = (cidr: string) => [{ ipBlock: { cidr } }];
const firm = policy({ firewall: { inbound: { allow: [{ name: "office", from: block("203.0.113.0/24") }] } } }, "firm");
const watch = policy(
  {
    mode: "Observe",
    priority: 1,
    firewall: {
      inbound: {
        ports: ["1024-40000"],
        deny: [{ name: "bad", from: block("203.0.113.128/25") }],
        allow: [{ name: "guests", from: block("192.0.2.0/24") }],
      },
      outbound: { deny: [{ name: "far", to: block("203.0.113.0/24") }], defaultAction: "Allow" },
    },
    rateLimits: [{ name: "slow", ports: [9100], newConnections: { limit: 10, per: "Minute", burst: 20 } }],
  },
  "watch",
);
const open = policy(
  { mode: "Observe", firewall: { inbound: { ports: ["50000-60000"], defaultAction: "Allow" } }, priority: 1 },
  "open",
);
const rejecting = policy({ mode: "Observe", firewall: { inbound: { defaultAction: "Reject" } } }, "rejecting");
const rulesOf = (...policies: readonly (typeof firm)[]) => nodeRules(policies, [], { name: "node", labels: {} });

function says(packet: string, { plan, ruleSet } = rulesOf(firm, watch, open)): string[] {
  const lines = explanationText(explain(parsePacket(packet), plan, ruleSet)).split("\n");
  return [lines[0]?.split(":")[0] ?? "", ...lines.filter((line) => line.startsWith("observed: "))];
}

it.each([
  ["tcp 203.0.113.9 -> :8443 in eth0", "passed", []],
  [
    "tcp -> 203.0.113.9:8443 out eth0",
    "passed",
    ['observed: would be dropped by policy watch, entry "far", if it were enforced'],
  ],
  [
    "tcp 203.0.113.200 -> :8443 in eth0",
    "passed",
    ['observed: would be dropped by policy watch, entry "bad", if it were enforced'],
  ],
  [
    "udp 192.0.2.1 -> :8443 in eth0",
    "dropped",
    ['observed: would pass by policy watch, entry "guests", if it were enforced'],
  ],
  ["tcp 198.51.100.1 -> :8443 in eth0", "dropped", []],
  [
    "tcp 198.51.100.1 -> :50001 in eth0",
    "dropped",
    ["observed: would pass by policy open, defaultAction Allow, if it were enforced"],
  ],
  [
    "tcp 203.0.113.9 -> :9100 in eth0",
    "passed",
    ['observed: would be dropped above the limit "slow" of policy watch, if it were enforced'],
  ],
])("explain %s: %s", (packet, verdict, observed) => {
  expect(says(packet)).toEqual([verdict, ...observed]);
});

it("explains by the enforced policies alone what becomes of a packet, also where none is", () => {
  expect(says("tcp 198.51.100.1 -> :8443 in eth0", rulesOf(rejecting))).toEqual([
    "passed",
    "observed: would be rejected by policy rejecting, defaultAction Reject, if it were enforced",
  ]);
  const { plan, ruleSet } = rulesOf(rejecting);
  expect(explain(parsePacket("tcp 198.51.100.1 -> :8443 in eth0"), plan, ruleSet).reason).toBe(
    "no policy judges or limits TCP that comes in here",
  );
});

it("renders the sets that observers fill", () => {
  expect(restoreText(rulesOf(watch).ruleSet)).toMatch(/^create ph-w4-\w+ hash:ip family inet .* counters forceadd$/m);
});
