import { bad, badNull, good, many, outbound, policy, type Sample } from "./sample.ts";

const OUTBOUND = "spec.firewall.outbound";
const ALLOW = `${OUTBOUND}.allow`;
const entry = { name: "entry" };

function biggestEntry(number: number) {
  return {
    name: `entry-${number}`,
    ports: many(16, (n) => `${1024 + 100 * n}-${1024 + 100 * n + 50}`),
    protocols: ["TCP", "UDP", "SCTP"],
    to: many(16, (n) => ({ ipBlock: { cidr: `198.18.${n}.0/24`, except: [`198.18.${n}.0/25`] } })),
  };
}

const biggest = {
  ports: many(16, (n) => `${1024 + 100 * n}-${1024 + 100 * n + 50}`),
  protocols: ["TCP", "UDP", "SCTP"],
  allow: many(64, biggestEntry),
  deny: many(64, biggestEntry),
};

/** What is not the same as inbound. */
export const outboundSamples: readonly Sample[] = [
  good("outbound that says nothing", outbound({})),
  good(
    "outbound with everything said",
    outbound({
      ports: ["1-65535"],
      protocols: ["TCP"],
      interfaces: { include: ["eth+"], exclude: ["eth9"] },
      trustCluster: false,
      allow: [
        {
          name: "web",
          to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }, { ipBlock: { cidr: "::/0" } }],
          ports: [443],
          protocols: ["TCP"],
        },
        { name: "partners", to: [{ addressGroup: { selector: { matchLabels: { list: "partners" } } } }] },
      ],
      deny: [{ name: "blocklist", to: [{ addressGroup: { name: "blocklist" } }] }],
      defaultAction: "Allow",
    }),
  ),
  good("the most outbound entries, ports and peers", outbound(biggest)),
  good(
    "the same entry name in both directions",
    policy({ firewall: { inbound: { allow: [entry] }, outbound: { allow: [entry] } } }),
  ),
  badNull("null for outbound", outbound(null), OUTBOUND),
  bad(
    "no destination",
    outbound({ allow: [{ ...entry, to: [] }] }),
    `${ALLOW}[0].to`,
    "must not be empty",
    "at least 1 items",
  ),
  badNull("null for destinations", outbound({ allow: [{ ...entry, to: null }] }), `${ALLOW}[0].to`),
  bad(
    "17 destinations",
    outbound({ deny: [{ ...entry, to: many(17, () => ({ addressGroup: { name: "a" } })) }] }),
    `${OUTBOUND}.deny[0].to`,
    "at most 16 items",
  ),
  bad(
    "sources where destinations belong",
    outbound({ allow: [{ ...entry, from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] }),
    `${ALLOW}[0].from`,
    "unknown field",
  ),
  bad(
    "a destination said in two ways",
    outbound({ allow: [{ ...entry, to: [{ ipBlock: { cidr: "192.0.2.0/24" }, addressGroup: { name: "a" } }] }] }),
    `${ALLOW}[0].to[0]`,
    "must have exactly one of",
  ),
  bad(
    "an exception outside its block",
    outbound({ deny: [{ ...entry, to: [{ ipBlock: { cidr: "192.0.2.0/24", except: ["198.51.100.0/24"] } }] }] }),
    `${OUTBOUND}.deny[0].to[0].ipBlock.except`,
    "must lie inside cidr",
  ),
  bad(
    "a port outside the outbound scope",
    outbound({ allow: [{ ...entry, ports: [443] }] }),
    ALLOW,
    "must lie inside one of the ports of outbound",
  ),
  bad(
    "a denied protocol outside the outbound scope",
    outbound({ protocols: ["TCP"], deny: [{ ...entry, protocols: ["UDP"] }] }),
    `${OUTBOUND}.deny`,
    "must be among the protocols of outbound",
  ),
  bad("an outbound name twice", outbound({ allow: [entry, entry] }), `${ALLOW}[1]`, "Duplicate value"),
  bad(
    "a default that only logs",
    outbound({ defaultAction: "Log" }),
    `${OUTBOUND}.defaultAction`,
    "must be Drop or Reject or Allow",
    "supported values",
  ),
  bad(
    "lo outbound",
    outbound({ interfaces: { include: ["lo"] } }),
    `${OUTBOUND}.interfaces.include[0]`,
    "loopback is never judged",
  ),
];
