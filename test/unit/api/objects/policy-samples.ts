import { bad, badNull, good, many, policy, type Sample } from "./sample.ts";

const apiVersion = "porthardening.io/v1alpha1";
const kind = "PortHardeningPolicy";
const metadata = { name: "sample" };

/** null where a map has a value: the API server blames the map. */
function nullValue(name: string, spec: object, at: string, key: string): Sample {
  const expected = { says: ", not null", serverField: at, serverSays: "null is no value", prunedByKubectl: true };
  return { name, object: policy(spec), expected: { field: `${at}.${key}`, ...expected } };
}

/** The policy itself: mode, name, selector, priority, sysctls. */
export const policySamples: readonly Sample[] = [
  good("only a mode", policy({})),
  good("an empty firewall", policy({ firewall: {} })),
  bad("no spec", { apiVersion, kind, metadata }, "spec", "is required", "Required value"),
  bad("no mode", { apiVersion, kind, metadata, spec: {} }, "spec.mode", "is required", "Required value"),
  good("a mode that only observes", policy({ mode: "Observe", firewall: { inbound: {} } })),
  bad("an unknown mode", policy({ mode: "Block" }), "spec.mode", "must be Enforce", "supported values"),
  bad("a mode in lower case", policy({ mode: "enforce" }), "spec.mode", "must be Enforce", "supported values"),
  bad(
    "null for the mode",
    policy({ mode: null }),
    "spec.mode",
    "must be Enforce or Observe, not null",
    "Required value",
  ),
  bad("an unknown field", policy({ rateLimit: [] }), "spec.rateLimit", "unknown field"),
  bad(
    "an unknown section of the firewall",
    policy({ firewall: { inbuond: {} } }),
    "spec.firewall.inbuond",
    "unknown field",
  ),
  good("existing connections cut", policy({ firewall: { existing: "Cut", inbound: {} } })),
  good("existing connections kept, no direction", policy({ firewall: { existing: "Keep" } })),
  good("null for what becomes of existing connections", policy({ firewall: { existing: null } })),
  bad(
    "an unknown fate of existing connections",
    policy({ firewall: { existing: "Drop" } }),
    "spec.firewall.existing",
    "must be Keep or Cut",
    "supported values",
  ),
  bad(
    "existing connections cut in one direction",
    policy({ firewall: { inbound: { existing: "Cut" } } }),
    "spec.firewall.inbound.existing",
    "unknown field",
  ),
  badNull("null for a section", policy({ firewall: null }), "spec.firewall"),
  bad("a list for a section", policy({ firewall: [] }), "spec.firewall", "must be an object", "must be of type object"),

  good("a name of 63 characters", policy({}, "a".repeat(63))),
  bad("a name of 64 characters", policy({}, "a".repeat(64)), "metadata.name", "must be a DNS label"),
  bad("a name with a dot", policy({}, "a.b"), "metadata.name", "must be a DNS label"),

  good("the highest priority", policy({ priority: 2147483647 })),
  good("a negative priority", policy({ priority: -5 })),
  good("null for a field with a default", policy({ priority: null })),
  bad(
    "a priority beyond 32 bits",
    policy({ priority: 2147483648 }),
    "spec.priority",
    "must be at most 2147483647",
    "should be less than or equal to 2147483647",
  ),
  bad(
    "a priority with a fraction",
    policy({ priority: 1.5 }),
    "spec.priority",
    "must be a whole number, not 1.5",
    "must be of type int32",
  ),
  bad(
    "a priority as text",
    policy({ priority: "7" }),
    "spec.priority",
    "must be a number, not a string",
    "must be of type integer",
  ),

  good("an empty selector", policy({ nodeSelector: {} })),
  good(
    "a selector with labels and expressions",
    policy({
      nodeSelector: {
        matchLabels: { "kubernetes.io/os": "linux", role: "" },
        matchExpressions: [
          { key: "node-role.kubernetes.io/control-plane", operator: "DoesNotExist" },
          { key: "pool", operator: "In", values: ["a", "b"] },
        ],
      },
    }),
  ),
  nullValue(
    "null for a label, which would select every node",
    { nodeSelector: { matchLabels: { role: null } } },
    "spec.nodeSelector.matchLabels",
    "role",
  ),
  bad(
    "a label key that JavaScript passes over",
    policy({ nodeSelector: { matchLabels: JSON.parse('{"__proto__": "worker"}') } }),
    "spec.nodeSelector.matchLabels",
    "__proto__ must not be a key",
    "each key must be a label key",
  ),
  bad(
    "a bad label key",
    policy({ nodeSelector: { matchLabels: { "-role": "x" } } }),
    "spec.nodeSelector.matchLabels",
    "each key must be a label key",
  ),
  bad(
    "a bad label value",
    policy({ nodeSelector: { matchLabels: { role: "a b" } } }),
    "spec.nodeSelector.matchLabels.role",
    "must be a label value",
    "should match",
  ),
  bad(
    "too many labels",
    policy({ nodeSelector: { matchLabels: Object.fromEntries(many(33, (n) => [`l${n}`, ""])) } }),
    "spec.nodeSelector.matchLabels",
    "must have at most 32 items",
  ),
  bad(
    "In without values",
    policy({ nodeSelector: { matchExpressions: [{ key: "a", operator: "In" }] } }),
    "spec.nodeSelector.matchExpressions[0].values",
    "In and NotIn need values",
  ),
  bad(
    "Exists with values",
    policy({ nodeSelector: { matchExpressions: [{ key: "a", operator: "Exists", values: ["x"] }] } }),
    "spec.nodeSelector.matchExpressions[0].values",
    "Exists and DoesNotExist take none",
  ),
  bad(
    "an unknown operator",
    policy({ nodeSelector: { matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }] } }),
    "spec.nodeSelector.matchExpressions[0].operator",
    "must be In or NotIn or Exists",
    "supported values",
  ),
  bad(
    "an expression without a key",
    policy({ nodeSelector: { matchExpressions: [{ operator: "Exists" }] } }),
    "spec.nodeSelector.matchExpressions[0].key",
    "is required",
    "Required value",
  ),

  good("sysctls", policy({ sysctls: { "net.ipv4.tcp_syncookies": "1", "net.ipv4.tcp_rmem": "4096 131072 6291456" } })),
  good("no sysctls", policy({ sysctls: {} })),
  bad(
    "a sysctl as a number",
    policy({ sysctls: { "net.ipv4.tcp_syncookies": 1 } }),
    "spec.sysctls.net.ipv4.tcp_syncookies",
    "put it in quotes",
    "must be of type string",
  ),
  nullValue("null for a sysctl", { sysctls: { "net.core.somaxconn": null } }, "spec.sysctls", "net.core.somaxconn"),
  bad(
    "a sysctl with slashes",
    policy({ sysctls: { "net/ipv4/tcp_syncookies": "1" } }),
    "spec.sysctls",
    "dotted sysctl name",
  ),
  bad(
    "a sysctl outside the four trees",
    policy({ sysctls: { "dev.cdrom.lock": "1" } }),
    "spec.sysctls",
    "dotted sysctl name",
  ),
  bad("a sysctl that climbs", policy({ sysctls: { "net..ipv4": "1" } }), "spec.sysctls", "dotted sysctl name"),
  bad("a bare tree", policy({ sysctls: { net: "1" } }), "spec.sysctls", "dotted sysctl name"),
  bad(
    "a sysctl with a new line in its value",
    policy({ sysctls: { "net.ipv4.tcp_syncookies": "1\nkernel.panic = 1" } }),
    "spec.sysctls.net.ipv4.tcp_syncookies",
    "one line of printable ASCII",
    "should match",
  ),
  bad(
    "a new line at the end of a value",
    policy({ sysctls: { "net.ipv4.tcp_syncookies": "1\n" } }),
    "spec.sysctls.net.ipv4.tcp_syncookies",
    "one line of printable ASCII",
    "should match",
  ),
  bad(
    "an empty value",
    policy({ sysctls: { "net.ipv4.tcp_syncookies": "" } }),
    "spec.sysctls.net.ipv4.tcp_syncookies",
    "one line of printable ASCII",
    "should match",
  ),
  bad(
    "a value of 129 characters",
    policy({ sysctls: { "net.ipv4.tcp_syncookies": "1".repeat(129) } }),
    "spec.sysctls.net.ipv4.tcp_syncookies",
    "at most 128 characters",
    "may not be more than 128 bytes",
  ),
  bad(
    "a key of 129 characters",
    policy({ sysctls: { [`net.${"a".repeat(125)}`]: "1" } }),
    "spec.sysctls",
    "dotted sysctl name",
  ),
  bad(
    "65 sysctls",
    policy({ sysctls: Object.fromEntries(many(65, (n) => [`net.x${n}`, "1"])) }),
    "spec.sysctls",
    "must have at most 64 items",
  ),
  bad(
    "the range as a sysctl",
    policy({ sysctls: { "net.ipv4.ip_local_port_range": "32768 60999" } }),
    "spec.sysctls",
    "set by spec.ephemeralPorts",
  ),
  bad(
    "the reserved ports as a sysctl",
    policy({ sysctls: { "net.ipv4.ip_local_reserved_ports": "50000" } }),
    "spec.sysctls",
    "set by spec.ephemeralPorts",
  ),
];
