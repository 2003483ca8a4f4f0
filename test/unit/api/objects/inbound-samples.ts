import { allow, bad, badNull, good, inbound, many, type Sample } from "./sample.ts";

const INBOUND = "spec.firewall.inbound";
const ALLOW = `${INBOUND}.allow`;
const entry = { name: "entry" };

function biggestEntry(number: number) {
  return {
    name: `entry-${number}`,
    ports: many(16, (n) => `${1024 + 100 * n}-${1024 + 100 * n + 50}`),
    protocols: ["TCP", "UDP", "SCTP"],
    from: many(16, (n) => ({ ipBlock: { cidr: `198.18.${n}.0/24`, except: [`198.18.${n}.0/25`] } })),
  };
}

export const inboundSamples: readonly Sample[] = [
  good("an empty direction", inbound({})),
  good("one port", inbound({ ports: [8443] })),
  good(
    "everything said",
    inbound({
      ports: ["1024-65535", 22],
      protocols: ["TCP"],
      interfaces: { include: ["eth+"], exclude: ["eth9"] },
      trustCluster: false,
      allow: [
        { name: "a", ports: [8443, "30000-32767"], protocols: ["TCP"] },
        { name: "b", ports: ["22"] },
      ],
      deny: [{ name: "a" }],
      defaultAction: "Drop",
    }),
  ),
  good("an empty allow list", inbound({ allow: [], deny: [] })),
  good(
    "the most entries, ports and peers",
    inbound({
      ports: many(16, (n) => `${1024 + 100 * n}-${1024 + 100 * n + 50}`),
      protocols: ["TCP", "UDP", "SCTP"],
      allow: many(64, biggestEntry),
      deny: many(64, biggestEntry),
    }),
  ),
  badNull("null for a direction", inbound(null), INBOUND),

  bad("no ports", inbound({ ports: [] }), `${INBOUND}.ports`, "at least 1 item", "at least 1 items"),
  bad("17 ports", inbound({ ports: many(17, (n) => 2000 + n) }), `${INBOUND}.ports`, "at most 16 items"),
  bad(
    "port 0",
    inbound({ ports: [0] }),
    `${INBOUND}.ports[0]`,
    "must be a port",
    "should be greater than or equal to 1",
  ),
  bad(
    "port 65536",
    inbound({ ports: [65536] }),
    `${INBOUND}.ports[0]`,
    "must be a port",
    "should be less than or equal to 65535",
  ),
  bad("port 65536 as text", inbound({ ports: ["65536"] }), `${INBOUND}.ports[0]`, "must be a port", "should match"),
  bad(
    "a port with a fraction",
    inbound({ ports: [8080.5] }),
    `${INBOUND}.ports[0]`,
    "must be a port",
    "must be of type integer,string",
  ),
  bad(
    "a port that is true",
    inbound({ ports: [true] }),
    `${INBOUND}.ports[0]`,
    "must be a port",
    "must be of type integer,string",
  ),
  bad(
    "a port that is null",
    inbound({ ports: [null] }),
    `${INBOUND}.ports[0]`,
    "must be a port",
    "must be of type integer,string",
  ),
  bad("a port by name", inbound({ ports: ["http"] }), `${INBOUND}.ports[0]`, "must be a port", "should match"),
  bad(
    "ports with a colon",
    inbound({ ports: ["1024:65535"] }),
    `${INBOUND}.ports[0]`,
    "must be a port",
    "should match",
  ),
  bad("ports backwards", inbound({ ports: ["2000-1000"] }), `${INBOUND}.ports[0]`, "must not end before it starts"),
  bad(
    "one port instead of a list",
    inbound({ ports: 8080 }),
    `${INBOUND}.ports`,
    "must be a list",
    "must be of type array",
  ),

  bad("no protocols", inbound({ protocols: [] }), `${INBOUND}.protocols`, "at least 1 item", "at least 1 items"),
  bad(
    "a protocol in lower case",
    inbound({ protocols: ["tcp"] }),
    `${INBOUND}.protocols[0]`,
    "must be TCP or UDP or SCTP",
    "supported values",
  ),
  good("SCTP", inbound({ protocols: ["SCTP"], allow: [{ name: "entry", protocols: ["SCTP"] }] })),
  bad(
    "DCCP",
    inbound({ protocols: ["DCCP"] }),
    `${INBOUND}.protocols[0]`,
    "must be TCP or UDP or SCTP",
    "supported values",
  ),
  good("Reject by default", inbound({ defaultAction: "Reject" })),
  good("Allow by default", inbound({ defaultAction: "Allow" })),
  bad(
    "Log",
    inbound({ defaultAction: "Log" }),
    `${INBOUND}.defaultAction`,
    "must be Drop or Reject or Allow",
    "supported values",
  ),
  bad(
    "trustCluster as text",
    inbound({ trustCluster: "true" }),
    `${INBOUND}.trustCluster`,
    "must be true or false",
    "must be of type boolean",
  ),

  good("interfaces that say nothing", inbound({ interfaces: {} })),
  good("an interface of 15 characters", inbound({ interfaces: { include: ["enp0s31f6.10012"] } })),
  good("no interface excluded", inbound({ interfaces: { exclude: [] } })),
  bad(
    "no interface included",
    inbound({ interfaces: { include: [] } }),
    `${INBOUND}.interfaces.include`,
    "must not be empty",
    "at least 1 items",
  ),
  bad(
    "an interface of 16 characters",
    inbound({ interfaces: { include: ["enp0s31f6.100123"] } }),
    `${INBOUND}.interfaces.include[0]`,
    "at most 15 characters",
    "may not be more than 15 bytes",
  ),
  bad(
    "lo",
    inbound({ interfaces: { include: ["lo"] } }),
    `${INBOUND}.interfaces.include[0]`,
    "loopback is never judged",
  ),
  bad(
    "a plus in the middle",
    inbound({ interfaces: { include: ["e+h"] } }),
    `${INBOUND}.interfaces.include[0]`,
    "name of an interface",
    "should match",
  ),
  bad(
    "a bare plus",
    inbound({ interfaces: { exclude: ["+"] } }),
    `${INBOUND}.interfaces.exclude[0]`,
    "name of an interface",
    "should match",
  ),
  bad(
    "an interface like an option",
    inbound({ interfaces: { include: ["-j"] } }),
    `${INBOUND}.interfaces.include[0]`,
    "name of an interface",
    "should match",
  ),
  bad(
    "an interface with a blank",
    inbound({ interfaces: { include: ["eth0 -j"] } }),
    `${INBOUND}.interfaces.include[0]`,
    "name of an interface",
    "should match",
  ),

  bad("an entry without a name", inbound({ allow: [{}] }), `${ALLOW}[0].name`, "is required", "Required value"),
  bad(
    "a name in upper case",
    inbound({ allow: [{ name: "Admins" }] }),
    `${ALLOW}[0].name`,
    "must be a DNS label",
    "should match",
  ),
  bad(
    "a name of 64 characters in an entry",
    inbound({ allow: [{ name: "a".repeat(64) }] }),
    `${ALLOW}[0].name`,
    "at most 63 characters",
    "may not be more than 63 bytes",
  ),
  bad(
    "an empty name",
    inbound({ deny: [{ name: "" }] }),
    `${INBOUND}.deny[0].name`,
    "must be a DNS label",
    "should match",
  ),
  bad("a name twice", inbound({ allow: [entry, { name: "other" }, entry] }), `${ALLOW}[2]`, "Duplicate value"),
  good("a name in allow and in deny", inbound({ allow: [entry], deny: [entry] })),
  bad("65 entries", inbound({ deny: many(65, (n) => ({ name: `e${n}` })) }), `${INBOUND}.deny`, "at most 64 items"),
  bad("an unknown field of an entry", allow({ form: [] }), `${ALLOW}[0].form`, "unknown field"),
  bad(
    "a peer where sources belong",
    allow({ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }),
    `${ALLOW}[0].to`,
    "unknown field",
  ),

  bad(
    "a port outside the scope",
    inbound({ ports: ["1024-2000"], allow: [{ ...entry, ports: [2001] }] }),
    ALLOW,
    "must lie inside one of the ports",
  ),
  bad(
    "a denied port outside the scope",
    inbound({ deny: [{ ...entry, ports: [22] }] }),
    `${INBOUND}.deny`,
    "must lie inside one of the ports",
  ),
  bad(
    "a range over two adjacent ranges of the scope",
    inbound({ ports: ["1024-2000", "2001-3000"], allow: [{ ...entry, ports: ["1900-2100"] }] }),
    ALLOW,
    "must lie inside one of the ports",
  ),
  good(
    "a range that fills the scope",
    inbound({ ports: [8080, "9000-9100"], allow: [{ ...entry, ports: ["9000-9100", "8080"] }] }),
  ),
  bad(
    "a protocol outside the scope",
    inbound({ protocols: ["TCP"], allow: [{ ...entry, protocols: ["UDP"] }] }),
    ALLOW,
    "must be among the protocols",
  ),
  bad(
    "a denied protocol outside the scope",
    inbound({ protocols: ["UDP"], deny: [{ ...entry, protocols: ["UDP", "TCP"] }] }),
    `${INBOUND}.deny`,
    "must be among the protocols",
  ),
  bad("no port in an entry", allow({ ports: [] }), `${ALLOW}[0].ports`, "at least 1 item", "at least 1 items"),
  badNull("null for an entry's ports", allow({ ports: null }), `${ALLOW}[0].ports`),
];
