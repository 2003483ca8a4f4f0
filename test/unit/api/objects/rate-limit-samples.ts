import { bad, good, many, policy, type Sample } from "./sample.ts";

const newConnections = { limit: 10, per: "Minute", burst: 20 };
const limit = (fields: object) => policy({ rateLimits: [{ name: "limit", newConnections, ...fields }] });
const connections = (fields: object) => limit({ newConnections: { ...newConnections, ...fields } });
const LIMIT = "spec.rateLimits[0]";
const CONNECTIONS = `${LIMIT}.newConnections`;

export const rateLimitSamples: readonly Sample[] = [
  good("a limit", limit({})),
  good("no limits", policy({ rateLimits: [] })),
  good(
    "a limit with everything said",
    limit({ ports: ["1024-65535", 22], protocols: ["UDP", "TCP"], interfaces: { include: ["eth0"] } }),
  ),
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
  bad("a limit of nothing", policy({ rateLimits: [{ name: "limit" }] }), CONNECTIONS, "is required", "Required value"),
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
  bad("a limit of a later version", limit({ maxConcurrent: 100 }), `${LIMIT}.maxConcurrent`, "unknown field"),
  bad("a limit on a bad port", limit({ ports: ["0-10"] }), `${LIMIT}.ports[0]`, "must be a port", "should match"),
];
