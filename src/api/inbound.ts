import * as z from "zod";
import { defaulted } from "./defaulted.ts";
import { interfacesSchema } from "./interfaces.ts";
import { keyedList, labelName } from "./named.ts";
import { peerSchema } from "./peers.ts";
import { type Port, portBounds, portList, protocolList } from "./ports.ts";
import { type Rule, withRules } from "./rule.ts";

/** Fields of an entry; `verb` says what it does to the traffic. */
function entrySchema(verb: "allows" | "denies") {
  return z
    .strictObject({
      name: labelName("Unique within the list; stands in rule comments, status and messages."),
      from: z
        .array(peerSchema)
        .min(1, "must not be empty: leave from out to mean everybody")
        .max(16)
        .optional()
        .describe(`Sources that this entry ${verb}. Absent: everybody.`),
      ports: portList(1, 16)
        .optional()
        .describe("Destination ports; each must lie inside one of the ports of inbound. Absent: all of those."),
      protocols: protocolList
        .optional()
        .describe("Each must be one of the protocols of inbound. Absent: all of those."),
    })
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

function insideRules(field: "allow" | "deny") {
  const bounds = (name: string) =>
    `(type(${name}) == int ? [int(${name}), int(${name})] : string(${name}).split('-').map(s, int(s)))`;
  type Lists = Scope & { readonly allow?: readonly Entry[] | undefined; readonly deny?: readonly Entry[] | undefined };
  return [
    {
      cel:
        `!has(self.${field}) || [self.ports.map(q, ${bounds("q")})].all(scope, self.${field}.all(e, !has(e.ports) || ` +
        `e.ports.map(p, ${bounds("p")}).all(p, scope.exists(q, q[0] <= p[0] && p[size(p)-1] <= q[size(q)-1]))))`,
      message: `ports of an entry must lie inside one of the ports of inbound: widen inbound.ports or narrow the entry`,
      field,
      holds: (scope: Lists) => (scope[field] ?? []).every((entry) => insidePorts(scope, entry)),
    },
    {
      cel: `!has(self.${field}) || self.${field}.all(e, !has(e.protocols) || e.protocols.all(p, p in self.protocols))`,
      message: `protocols of an entry must be among the protocols of inbound: add them there or drop them from the entry`,
      field,
      holds: (scope: Lists) =>
        (scope[field] ?? []).every(({ protocols = [] }) => protocols.every((name) => scope.protocols.includes(name))),
    },
  ] satisfies Rule<Lists>[];
}

export const inboundSchema = withRules(
  z.strictObject({
    ports: defaulted(portList(1, 16), ["1024-65535"]).describe(
      "Destination ports that are judged, before any DNAT; NodePorts are among them.",
    ),
    protocols: defaulted(protocolList, ["TCP", "UDP"]).describe("Protocols that are judged."),
    interfaces: interfacesSchema.optional().describe("Interfaces that are judged. Absent: every one but lo."),
    trustCluster: defaulted(z.boolean(), true).describe(
      "Whether node addresses, pods and API endpoints of this cluster always pass.",
    ),
    allow: keyedList(entrySchema("allows"), ["name"], 64)
      .optional()
      .describe("Traffic that passes. What several policies allow adds up."),
    deny: keyedList(entrySchema("denies"), ["name"], 64)
      .optional()
      .describe(
        "Traffic that is dropped even where something allows it; failsafes and the trusted cluster still pass.",
      ),
    defaultAction: defaulted(z.enum(["Drop"]), "Drop").describe("What happens to traffic that no entry allows."),
  }),
  [...insideRules("allow"), ...insideRules("deny")],
).describe("What opens a connection to the node. Present: this direction is judged, also where allow is empty.");
