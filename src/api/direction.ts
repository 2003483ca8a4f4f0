import * as z from "zod";
import { defaulted } from "./defaulted.ts";
import { interfacesSchema } from "./interfaces.ts";
import { keyedList, labelName } from "./named.ts";
import { peerSchema } from "./peers.ts";
import { type Port, portBounds, portList, protocolList } from "./ports.ts";
import { type Rule, withRules } from "./rule.ts";

export const DEFAULT_ACTIONS = ["Drop", "Reject", "Allow"] as const;

type Direction = "inbound" | "outbound";
type Verb = "allows" | "denies";

const entryName = labelName("Unique within the list; stands in rule comments, status and messages.");

function peerList(field: "from" | "to", meaning: string) {
  return z
    .array(peerSchema)
    .min(1, `must not be empty: leave ${field} out to mean everybody`)
    .max(16)
    .optional()
    .describe(`${meaning} Absent: everybody.`);
}

function trafficFields(direction: Direction) {
  return {
    ports: portList(1, 16)
      .optional()
      .describe(`Destination ports; each must lie inside one of the ports of ${direction}. Absent: all of those.`),
    protocols: protocolList
      .optional()
      .describe(`Each must be one of the protocols of ${direction}. Absent: all of those.`),
  };
}

function inboundEntry(verb: Verb) {
  const from = peerList("from", `Sources that this entry ${verb}.`);
  return z
    .strictObject({ name: entryName, from, ...trafficFields("inbound") })
    .describe(`Traffic that this entry ${verb}.`);
}

function outboundEntry(verb: Verb) {
  const to = peerList("to", `Destinations that this entry ${verb}, behind the DNAT of a service address.`);
  return z
    .strictObject({ name: entryName, to, ...trafficFields("outbound") })
    .describe(`Traffic that this entry ${verb}.`);
}

interface Scope {
  readonly ports: readonly Port[];
  readonly protocols: readonly string[];
}
interface Entry {
  readonly ports?: readonly Port[] | undefined;
  readonly protocols?: readonly string[] | undefined;
}

/** A range over two adjacent scope ranges counts as outside: CEL cannot join ranges within its cost budget. */
function insidePorts(scope: Scope, entry: Entry): boolean {
  const ranges = scope.ports.map(portBounds);
  return (entry.ports ?? [])
    .map(portBounds)
    .every((port) => ranges.some(({ from, to }) => from <= port.from && port.to <= to));
}

function insideRules(direction: Direction, field: "allow" | "deny") {
  const bounds = (name: string) =>
    `(type(${name}) == int ? [int(${name}), int(${name})] : string(${name}).split('-').map(s, int(s)))`;
  type Lists = Scope & { readonly allow?: readonly Entry[] | undefined; readonly deny?: readonly Entry[] | undefined };
  return [
    {
      cel:
        `!has(self.${field}) || [self.ports.map(q, ${bounds("q")})].all(scope, self.${field}.all(e, !has(e.ports) || ` +
        `e.ports.map(p, ${bounds("p")}).all(p, scope.exists(q, q[0] <= p[0] && p[size(p)-1] <= q[size(q)-1]))))`,
      message: `ports of an entry must lie inside one of the ports of ${direction}: widen ${direction}.ports or narrow the entry`,
      field,
      holds: (scope: Lists) => (scope[field] ?? []).every((entry) => insidePorts(scope, entry)),
    },
    {
      cel: `!has(self.${field}) || self.${field}.all(e, !has(e.protocols) || e.protocols.all(p, p in self.protocols))`,
      message: `protocols of an entry must be among the protocols of ${direction}: add them there or drop them from the entry`,
      field,
      holds: (scope: Lists) =>
        (scope[field] ?? []).every(({ protocols = [] }) => protocols.every((name) => scope.protocols.includes(name))),
    },
  ] satisfies Rule<Lists>[];
}

const PROTOCOLS_JUDGED =
  "Protocols that are judged: TCP by the SYN, SCTP by the INIT, UDP by the first packet of a flow. SCTP is not judged unless named.";
const DENY = "Traffic that is dropped even where something allows it; failsafes and the trusted cluster still pass.";
const ALLOW = "Traffic that passes. What several policies allow adds up.";
const defaultAction = defaulted(z.enum(DEFAULT_ACTIONS), "Drop").describe(
  "What happens to traffic that no entry allows. Drop: no answer. Reject: a reset for TCP, port unreachable for others. " +
    "Allow: it passes, so that deny alone decides. Where several policies have traffic in scope, that of the highest " +
    "priority counts.",
);

export const inboundSchema = withRules(
  z.strictObject({
    ports: defaulted(portList(1, 16), ["1024-65535"]).describe(
      "Destination ports that are judged, before any DNAT; NodePorts are among them.",
    ),
    protocols: defaulted(protocolList, ["TCP", "UDP"]).describe(PROTOCOLS_JUDGED),
    interfaces: interfacesSchema.optional().describe("Interfaces that are judged. Absent: every one but lo."),
    trustCluster: defaulted(z.boolean(), true).describe(
      "Whether node addresses, pods and API endpoints of this cluster always pass.",
    ),
    allow: keyedList(inboundEntry("allows"), ["name"], 64).optional().describe(ALLOW),
    deny: keyedList(inboundEntry("denies"), ["name"], 64).optional().describe(DENY),
    defaultAction,
  }),
  [...insideRules("inbound", "allow"), ...insideRules("inbound", "deny")],
).describe("What opens a connection to the node. Present: this direction is judged, also where allow is empty.");

export const outboundSchema = withRules(
  z.strictObject({
    ports: defaulted(portList(1, 16), ["1024-65535"]).describe(
      "Destination ports that are judged, behind the DNAT of a service address.",
    ),
    protocols: defaulted(protocolList, ["TCP", "UDP"]).describe(PROTOCOLS_JUDGED),
    interfaces: interfacesSchema
      .optional()
      .describe("Interfaces that are judged, as routed before any DNAT. Absent: every one but lo."),
    trustCluster: defaulted(z.boolean(), true).describe(
      "Whether what goes to node addresses, pods, service CIDRs and API endpoints of this cluster always passes. A load " +
        "balancer in front of the API servers is none of these: allow it.",
    ),
    allow: keyedList(outboundEntry("allows"), ["name"], 64).optional().describe(ALLOW),
    deny: keyedList(outboundEntry("denies"), ["name"], 64).optional().describe(DENY),
    defaultAction,
  }),
  [...insideRules("outbound", "allow"), ...insideRules("outbound", "deny")],
).describe(
  "What processes in the node's own network open; forwarded pod traffic is not judged. Present: this direction is judged, " +
    "also where allow is empty. DNS, DHCP and NTP always pass; so do API server, etcd, kubelet and overlay ports of nodes.",
);
