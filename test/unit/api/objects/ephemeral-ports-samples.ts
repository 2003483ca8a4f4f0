import { bad, badNull, good, many, policy, type Sample } from "./sample.ts";

const ports = (ephemeralPorts: unknown) => policy({ ephemeralPorts });
const RANGE = "spec.ephemeralPorts.range";
const RESERVED = "spec.ephemeralPorts.reserved";
const PODS = "spec.ephemeralPorts.pods";

export const ephemeralPortsSamples: readonly Sample[] = [
  good("no field of ephemeralPorts", ports({})),
  good("a range", ports({ range: "49152-65535" })),
  good("the widest range", ports({ range: "1024-65535" })),
  good("the smallest range", ports({ range: "2000-3023" })),
  good("reserved ports without a range", ports({ reserved: [50000, "50100-50110", "80"] })),
  good("no reserved port", ports({ reserved: [] })),
  good("reserved ports beside the range", ports({ range: "2000-3023", reserved: ["3024-65535", "1-1999"] })),
  good(
    "reserved ports that leave 1024",
    ports({ range: "10000-20000", reserved: ["9000-15000", "16025-17000", "17001-21000"] }),
  ),
  good("reserved NodePorts", ports({ range: "20000-40000", reserveNodePorts: true })),
  good("NodePorts that are not reserved", ports({ reserveNodePorts: false })),
  bad(
    "reserveNodePorts as a range",
    ports({ reserveNodePorts: "30000-32767" }),
    "spec.ephemeralPorts.reserveNodePorts",
    "must be true or false",
    "must be of type boolean",
  ),
  badNull("null as reserveNodePorts", ports({ reserveNodePorts: null }), "spec.ephemeralPorts.reserveNodePorts"),
  good("not persisted", ports({ persist: false })),
  bad("a range backwards", ports({ range: "65535-49152" }), RANGE, "must start at 1024 or above"),
  bad("a range from 1023", ports({ range: "1023-65535" }), RANGE, "must start at 1024 or above"),
  bad("a range of 1023 ports", ports({ range: "2000-3022" }), RANGE, "at least 1024 ports"),
  bad("a range up to 65536", ports({ range: "49152-65536" }), RANGE, "must be two ports", "should match"),
  bad("a range with blanks", ports({ range: "49152 65535" }), RANGE, "must be two ports", "should match"),
  bad("a leading zero", ports({ range: "09152-65535" }), RANGE, "must be two ports", "should match"),
  bad("one port as the range", ports({ range: "49152" }), RANGE, "must be two ports", "should match"),
  bad("a number as the range", ports({ range: 49152 }), RANGE, "must be a string", "must be of type string"),
  badNull("null as the range", ports({ range: null }), RANGE),
  bad(
    "a range reserved as a whole",
    ports({ range: "49152-65535", reserved: ["49152-65535"] }),
    RESERVED,
    "must leave at least 1024 ports",
  ),
  bad(
    "a range reserved but for 1023 ports",
    ports({ range: "10000-20000", reserved: ["1000-18976", 18977] }),
    RESERVED,
    "must leave at least 1024 ports",
  ),
  bad(
    "a reserved port 0",
    ports({ reserved: [0] }),
    `${RESERVED}[0]`,
    "must be a port",
    "should be greater than or equal to 1",
  ),
  bad("65 reserved ports", ports({ reserved: many(65, (n) => 2000 + n) }), RESERVED, "at most 64 items"),
  bad(
    "persist as text",
    ports({ persist: "yes" }),
    "spec.ephemeralPorts.persist",
    "must be true or false",
    "must be of type boolean",
  ),
  bad("an unknown field of ephemeralPorts", ports({ pod: "Inject" }), "spec.ephemeralPorts.pod", "unknown field"),
  good("a range that pods get too", ports({ range: "49152-65535", pods: "Inject" })),
  good("pods left alone", ports({ range: "49152-65535", pods: "Ignore" })),
  good("pods left alone without a range", ports({ pods: "Ignore" })),
  good(
    "pods left alone on the nodes with a label",
    policy({ nodeSelector: { matchLabels: { a: "b" } }, ephemeralPorts: { range: "49152-65535", pods: "Ignore" } }),
  ),
  bad("a range for pods that is none", ports({ pods: "Inject" }), PODS, "Inject needs range"),
  bad(
    "another word for pods",
    ports({ range: "49152-65535", pods: "inject" }),
    PODS,
    "must be Ignore or Inject",
    "Unsupported value",
  ),
  bad(
    "pods as a boolean",
    ports({ range: "49152-65535", pods: true }),
    PODS,
    "must be Ignore or Inject",
    "must be of type string",
  ),
  bad(
    "pods of the nodes with a label",
    policy({ nodeSelector: { matchLabels: { a: "b" } }, ephemeralPorts: { range: "49152-65535", pods: "Inject" } }),
    PODS,
    "takes a policy without nodeSelector",
  ),
  bad(
    "pods of nodes by a selector that is empty",
    policy({ nodeSelector: {}, ephemeralPorts: { range: "49152-65535", pods: "Inject" } }),
    PODS,
    "takes a policy without nodeSelector",
  ),
];
