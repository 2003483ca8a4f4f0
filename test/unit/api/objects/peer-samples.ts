import { allow, bad, badNull, from, good, many, policy, type Sample } from "./sample.ts";

const FROM = "spec.firewall.inbound.allow[0].from";
const PEER = `${FROM}[0]`;
const ipBlock = (cidr: unknown) => from({ ipBlock: { cidr } });
const badCidr = (name: string, cidr: string) =>
  bad(name, ipBlock(cidr), `${PEER}.ipBlock.cidr`, "must be an IPv4 or IPv6 CIDR without host bits");

export const peerSamples: readonly Sample[] = [
  good("everybody", allow({})),
  bad("nobody", allow({ from: [] }), FROM, "leave from out to mean everybody", "at least 1 items"),
  badNull("null for from", allow({ from: null }), FROM),
  bad(
    "17 peers",
    allow({ from: many(17, (n) => ({ ipBlock: { cidr: `198.18.${n}.0/24` } })) }),
    FROM,
    "at most 16 items",
  ),
  bad("an empty peer", from({}), PEER, "exactly one of ipBlock, nodes and addressGroup"),
  bad(
    "two members in one peer",
    from({ ipBlock: { cidr: "192.0.2.0/24" }, addressGroup: { name: "a" } }),
    PEER,
    "exactly one of ipBlock, nodes and addressGroup",
  ),
  bad(
    "a peer of a later version",
    from({ ipBlock: { cidr: "192.0.2.0/24" }, services: {} }),
    `${PEER}.services`,
    "unknown field",
  ),
  bad(
    "nodes beside a block",
    from({ ipBlock: { cidr: "192.0.2.0/24" }, nodes: {} }),
    PEER,
    "exactly one of ipBlock, nodes and addressGroup",
  ),

  good("nodes by label", from({ nodes: { matchLabels: { "node-role.kubernetes.io/edge": "", role: "monitoring" } } })),
  good(
    "nodes by expression",
    from({ nodes: { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a", "b"] }] } }),
  ),
  good("every node", from({ nodes: {} })),
  good(
    "nodes of a deny, of outbound and of an exemption",
    policy({
      firewall: {
        inbound: { trustCluster: false, deny: [{ name: "a", from: [{ nodes: {} }] }] },
        outbound: { allow: [{ name: "a", to: [{ nodes: {} }] }] },
      },
      rateLimits: [{ name: "a", maxConcurrent: 1, exempt: [{ nodes: {} }] }],
    }),
  ),
  badNull("null for nodes", from({ ipBlock: { cidr: "192.0.2.0/24" }, nodes: null }), `${PEER}.nodes`),
  bad("nodes by name", from({ nodes: "node1" }), `${PEER}.nodes`, "must be an object", "must be of type object"),
  bad("nodes by an unknown member", from({ nodes: { names: ["a"] } }), `${PEER}.nodes.names`, "unknown field"),
  bad(
    "nodes by a label that is none",
    from({ nodes: { matchLabels: { "a b": "c" } } }),
    `${PEER}.nodes.matchLabels`,
    "must be a label key",
  ),
  bad(
    "nodes by an operator without values",
    from({ nodes: { matchExpressions: [{ key: "zone", operator: "In" }] } }),
    `${PEER}.nodes.matchExpressions[0].values`,
    "operators In and NotIn need values",
  ),

  good("an IPv4 block", ipBlock("203.0.113.0/24")),
  good("one IPv4 address", ipBlock("203.0.113.7/32")),
  good("an IPv6 block", ipBlock("2001:db8:10::/48")),
  good("an IPv6 block in capitals and with zeros", ipBlock("2001:0DB8:0010::/48")),
  good("an IPv6 address that ends in dotted form", ipBlock("64:ff9b::192.0.2.1/128")),
  good("all of IPv4", ipBlock("0.0.0.0/0")),
  good("all of IPv6", ipBlock("::/0")),
  badCidr("a bare address", "192.0.2.1"),
  badCidr("host bits", "192.0.2.1/24"),
  badCidr("IPv6 host bits", "2001:db8::1/64"),
  badCidr("a leading zero in an octet", "192.0.02.0/24"),
  badCidr("a leading zero in the prefix", "192.0.2.0/024"),
  badCidr("a prefix with a plus", "192.0.2.0/+24"),
  badCidr("a prefix of 33", "192.0.2.0/33"),
  badCidr("a prefix of 129", "2001:db8::/129"),
  badCidr("a netmask", "192.0.2.0/255.255.255.0"),
  badCidr("three octets", "192.0.2/24"),
  badCidr("an octet of 256", "192.0.256.0/24"),
  badCidr("IPv4 mapped into IPv6", "::ffff:192.0.2.0/120"),
  badCidr("IPv4 mapped into IPv6, in hex", "::ffff:c000:200/120"),
  badCidr("a zone", "fe80::%eth0/64"),
  badCidr("two gaps", "2001::db8::/32"),
  badCidr("a gap for nothing", "1:2:3:4:5:6:7::8/128"),
  badCidr("nine parts", "1:2:3:4:5:6:7:8:9/128"),
  badCidr("seven parts", "1:2:3:4:5:6:7/112"),
  badCidr("five digits", "2001:0db80::/32"),
  badCidr("blanks around it", " 192.0.2.0/24"),
  badCidr("a name", "example.test/24"),
  badCidr("nothing", ""),
  bad("no CIDR", from({ ipBlock: {} }), `${PEER}.ipBlock.cidr`, "is required", "Required value"),

  good("exceptions", from({ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.64/26", "203.0.113.0/24"] } })),
  good("no exception", from({ ipBlock: { cidr: "203.0.113.0/24", except: [] } })),
  bad(
    "an exception outside",
    from({ ipBlock: { cidr: "203.0.113.0/24", except: ["198.51.100.0/26"] } }),
    `${PEER}.ipBlock.except`,
    "must lie inside cidr",
  ),
  bad(
    "a wider exception",
    from({ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.112.0/20"] } }),
    `${PEER}.ipBlock.except`,
    "must lie inside cidr",
  ),
  bad(
    "an exception of the other family",
    from({ ipBlock: { cidr: "0.0.0.0/0", except: ["::/0"] } }),
    `${PEER}.ipBlock.except`,
    "must lie inside cidr",
  ),
  bad(
    "an exception with host bits",
    from({ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.1/26"] } }),
    `${PEER}.ipBlock.except[0]`,
    "without host bits",
  ),

  good("a group by name", from({ addressGroup: { name: "partners.example" } })),
  good("groups by label", from({ addressGroup: { selector: { matchLabels: { list: "partners" } } } })),
  good(
    "groups by expression",
    from({ addressGroup: { selector: { matchExpressions: [{ key: "list", operator: "Exists" }] } } }),
  ),
  bad(
    "a group without name or selector",
    from({ addressGroup: {} }),
    `${PEER}.addressGroup`,
    "exactly one of name and selector",
  ),
  bad(
    "a group with name and selector",
    from({ addressGroup: { name: "a", selector: { matchLabels: { a: "b" } } } }),
    `${PEER}.addressGroup`,
    "exactly one of name and selector",
  ),
  bad(
    "a selector of every group",
    from({ addressGroup: { selector: {} } }),
    `${PEER}.addressGroup.selector`,
    "at least one label",
  ),
  bad(
    "a selector with empty parts",
    from({ addressGroup: { selector: { matchLabels: {}, matchExpressions: [] } } }),
    `${PEER}.addressGroup.selector`,
    "at least one label",
  ),
  bad(
    "a group name in upper case",
    from({ addressGroup: { name: "Partners" } }),
    `${PEER}.addressGroup.name`,
    "name of a PortHardeningAddressGroup",
    "should match",
  ),
];
