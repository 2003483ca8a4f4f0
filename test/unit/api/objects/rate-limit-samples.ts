import { bad, badNull, good, many, policy, type Sample } from "./sample.ts";

const newConnections = { limit: 10, per: "Minute", burst: 20 };
const limit = (fields: object) => policy({ rateLimits: [{ name: "limit", newConnections, ...fields }] });
const concurrent = (fields: object) => policy({ rateLimits: [{ name: "limit", maxConcurrent: 100, ...fields }] });
const connections = (fields: object) => limit({ newConnections: { ...newConnections, ...fields } });
const LIMIT = "spec.rateLimits[0]";
const CONNECTIONS = `${LIMIT}.newConnections`;

export const rateLimitSamples: readonly Sample[] = [
  good("a limit", limit({})),
  good("no limits", policy({ rateLimits: [] })),
  good(
    "a limit with everything said",
    limit({
      ports: ["1024-65535", 22],
      protocols: ["UDP", "TCP"],
      interfaces: { include: ["eth0"] },
      scope: "PerSource",
      prefixLength: { ipv4: 24, ipv6: 48 },
      exempt: [
        { ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.64/26"] } },
        { addressGroup: { name: "ours" } },
      ],
    }),
  ),
  good("a limit on all sources together", limit({ scope: "Total" })),
  good("a limit on concurrent connections", concurrent({})),
  good("one on those of all sources together", concurrent({ scope: "Total", exempt: [] })),
  good("the fewest concurrent connections", concurrent({ maxConcurrent: 1 })),
  good("the most", concurrent({ maxConcurrent: 10000 })),
  good(
    "the most limits and exempt peers",
    policy({
      rateLimits: many(16, (n) => ({
        name: `l${n}`,
        newConnections,
        ports: many(16, (port) => `${1024 + 100 * port}-${1024 + 100 * port + 50}`),
        exempt: many(16, (peer) => ({
          ipBlock: { cidr: `198.18.${peer}.0/24`, except: many(16, (at) => `198.18.${peer}.${at}/32`) },
        })),
      })),
    }),
  ),
  good("the shortest prefixes", limit({ prefixLength: { ipv4: 1, ipv6: 1 } })),
  good("the longest", limit({ prefixLength: { ipv4: 32, ipv6: 128 } })),
  good("a prefix of one family", limit({ prefixLength: { ipv6: 56 } })),
  good("prefixes left as they are", limit({ prefixLength: {} })),
  good("the highest limit", connections({ limit: 10000, per: "Second", burst: 10000 })),
  good("one a day", connections({ limit: 1, per: "Day", burst: 1 })),
  good("a burst earned in exactly a day", connections({ limit: 1, per: "Hour", burst: 24 })),
  bad(
    "a burst earned in more than a day",
    connections({ limit: 1, per: "Hour", burst: 25 }),
    `${CONNECTIONS}.burst`,
    "must be earned within a day",
  ),
  bad(
    "one a day with a burst",
    connections({ limit: 1, per: "Day", burst: 5 }),
    `${CONNECTIONS}.burst`,
    "must be earned within a day",
  ),
  bad(
    "a limit of 10001",
    connections({ limit: 10001, per: "Second" }),
    `${CONNECTIONS}.limit`,
    "must be at most 10000",
    "less than or equal to 10000",
  ),
  bad(
    "a limit of 0",
    connections({ limit: 0 }),
    `${CONNECTIONS}.limit`,
    "must be at least 1",
    "greater than or equal to 1",
  ),
  bad(
    "a burst of 0",
    connections({ burst: 0 }),
    `${CONNECTIONS}.burst`,
    "must be at least 1",
    "greater than or equal to 1",
  ),
  bad(
    "a burst of 10001",
    connections({ burst: 10001 }),
    `${CONNECTIONS}.burst`,
    "must be at most 10000",
    "less than or equal to 10000",
  ),
  bad(
    "an unknown unit",
    connections({ per: "Week" }),
    `${CONNECTIONS}.per`,
    "must be Second or Minute or Hour or Day",
    "supported values",
  ),
  bad(
    "no burst",
    limit({ newConnections: { limit: 10, per: "Minute" } }),
    `${CONNECTIONS}.burst`,
    "is required",
    "Required value",
  ),
  bad(
    "a limit of nothing",
    policy({ rateLimits: [{ name: "limit" }] }),
    LIMIT,
    "must have exactly one of newConnections",
  ),
  bad("a limit of both kinds", limit({ maxConcurrent: 100 }), LIMIT, "must have exactly one of newConnections"),
  bad(
    "no concurrent connections at all",
    concurrent({ maxConcurrent: 0 }),
    `${LIMIT}.maxConcurrent`,
    "must be at least 1",
    "greater than or equal to 1",
  ),
  bad(
    "10001 concurrent connections",
    concurrent({ maxConcurrent: 10001 }),
    `${LIMIT}.maxConcurrent`,
    "must be at most 10000",
    "less than or equal to 10000",
  ),
  bad(
    "half a concurrent connection",
    concurrent({ maxConcurrent: 0.5 }),
    `${LIMIT}.maxConcurrent`,
    "must be a whole number",
    "must be of type int",
  ),
  badNull("a null for concurrent connections", limit({ maxConcurrent: null }), `${LIMIT}.maxConcurrent`),
  {
    name: "a null scope",
    object: limit({ scope: null }),
    // The API server judges an enum before any rule.
    expected: {
      field: `${LIMIT}.scope`,
      says: ", not null",
      serverSays: "Unsupported value: null",
      prunedByKubectl: true,
    },
  },
  badNull("a null prefix", limit({ prefixLength: { ipv4: null } }), `${LIMIT}.prefixLength.ipv4`),
  bad(
    "a scope that is none",
    limit({ scope: "PerPort" }),
    `${LIMIT}.scope`,
    "must be PerSource or Total",
    "supported values",
  ),
  bad(
    "a prefix of sources that are counted together anyway",
    limit({ scope: "Total", prefixLength: { ipv4: 24 } }),
    `${LIMIT}.prefixLength`,
    "must be absent where scope is Total",
  ),
  bad(
    "an IPv4 prefix of 33",
    limit({ prefixLength: { ipv4: 33 } }),
    `${LIMIT}.prefixLength.ipv4`,
    "must be at most 32",
    "less than or equal to 32",
  ),
  bad(
    "an IPv6 prefix of 129",
    limit({ prefixLength: { ipv6: 129 } }),
    `${LIMIT}.prefixLength.ipv6`,
    "must be at most 128",
    "less than or equal to 128",
  ),
  bad(
    "a prefix of 0, which is Total",
    limit({ prefixLength: { ipv4: 0 } }),
    `${LIMIT}.prefixLength.ipv4`,
    "must be at least 1",
    "greater than or equal to 1",
  ),
  bad(
    "17 exempt peers",
    limit({ exempt: many(17, (n) => ({ ipBlock: { cidr: `203.0.113.${n}/32` } })) }),
    `${LIMIT}.exempt`,
    "at most 16 items",
  ),
  bad("an exempt peer of nobody", limit({ exempt: [{}] }), `${LIMIT}.exempt[0]`, "must have exactly one of"),
  bad(
    "an exempt block with host bits",
    limit({ exempt: [{ ipBlock: { cidr: "203.0.113.1/24" } }] }),
    `${LIMIT}.exempt[0].ipBlock.cidr`,
    "without host bits",
  ),
  bad(
    "a limit without a name",
    policy({ rateLimits: [{ newConnections }] }),
    `${LIMIT}.name`,
    "is required",
    "Required value",
  ),
  bad(
    "two limits of one name",
    policy({ rateLimits: many(2, () => ({ name: "a", newConnections })) }),
    "spec.rateLimits[1]",
    "Duplicate value",
  ),
  bad(
    "17 limits",
    policy({ rateLimits: many(17, (n) => ({ name: `l${n}`, newConnections })) }),
    "spec.rateLimits",
    "at most 16 items",
  ),
  bad("a limit of a later version", limit({ bandwidth: 100 }), `${LIMIT}.bandwidth`, "unknown field"),
  bad("a limit on a bad port", limit({ ports: ["0-10"] }), `${LIMIT}.ports[0]`, "must be a port", "should match"),
];
