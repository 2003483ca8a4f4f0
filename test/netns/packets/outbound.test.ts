import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { publishServiceAddress } from "../../lab/destination-nat.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";

const friend = "203.0.113.7";
const friend6 = "2001:db8:113::7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";
const clusterVip = "198.19.240.10";
const strangerVip = "198.19.240.11";

/** Allows connections to the friends alone, on everything from 1024 up. */
const friends = {
  firewall: {
    outbound: {
      allow: [
        { name: "friends", to: [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8:113::/64" } }] },
      ],
    },
  },
};

let lab: Lab;
let node: Node;
let peer: Node;
let pod: Host;
let client: Host;
let inside: Traffic;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  peer = await lab.node("peer");
  pod = await lab.pod(node, "pod");
  const sources = [`${friend}/24`, `${friend6}/64`, `${stranger}/24`, `${stranger6}/64`];
  client = await lab.client("outside", { sources });
  [inside, outside] = await Promise.all([node.traffic(), client.traffic()]);
  const inPeer = await peer.traffic();
  const inPod = await pod.traffic();
  await outside.listen("tcp", [53, 80, 443, 2379, 6443, 8443, 9000]);
  // Each on an address of its own: an echo must come from where it was asked for.
  for (const address of [friend, friend6, stranger, stranger6]) await outside.listen("udp", [53, 123, 8443], address);
  await inPeer.listen("tcp", [2379, 6443, 8443]);
  await inPod.listen("tcp", [8443]);
  await inside.listen("tcp", [8443]);
  await inside.listen("udp", [8443]);
  await publishServiceAddress(node, clusterVip, { port: 8443, to: { address: pod.ipv4, port: 8443 } });
  await publishServiceAddress(node, strangerVip, { port: 8443, to: { address: stranger, port: 8443 } });
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

async function outcomes(attempts: readonly Attempt[], from = inside): Promise<string[]> {
  return (await from.connectAll(attempts)).map(({ outcome }) => outcome);
}

/** The same attempts without and with a policy: a test whose packets never arrive anyway proves nothing. */
async function withAndWithout(attempts: readonly Attempt[], enforce: () => Promise<void>, from = inside) {
  const without = await outcomes(attempts, from);
  await enforce();
  return { without, with: await outcomes(attempts, from) };
}

const to = (address: string, port = 8443): Attempt => ({ to: address, port });
const udp = (address: string, port = 8443): Attempt => ({ ...to(address, port), protocol: "udp" });
const all = (count: number) => Array.from({ length: count }, () => "connected");

describe("where the node may connect to", () => {
  it("lets it reach the allowed and drops everything else in scope, v4 and v6, TCP and UDP", async () => {
    const attempts = [friend, friend6, stranger, stranger6].flatMap((address) => [to(address), udp(address)]);
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ friends }));
    expect(seen.without).toEqual(all(8));
    expect(seen.with).toEqual([...all(4), "timeout", "timeout", "timeout", "timeout"]);
  });

  it("judges the ports of its scope and no others", async () => {
    await enforcer.enforce({ friends });
    expect(await outcomes([80, 443, 9000].map((port) => to(stranger, port)))).toEqual([
      "connected",
      "connected",
      "timeout",
    ]);
  });

  it("refuses what a deny names, though an allow of another policy covers it", async () => {
    const group = { name: "bad", labels: {}, addresses: [`${friend}/32`] };
    const deny = { firewall: { outbound: { deny: [{ name: "bad", to: [{ addressGroup: { name: "bad" } }] }] } } };
    await enforcer.enforce({ friends, deny }, [group]);
    expect(await outcomes([to(friend), to(friend6)])).toEqual(["timeout", "connected"]);
  });

  it("takes exceptions out of a block", async () => {
    const allow = [{ name: "most", to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["198.51.100.0/24"] } }] }];
    await enforcer.enforce({ most: { firewall: { outbound: { allow } } } });
    expect(await outcomes([to(friend), to(stranger)])).toEqual(["connected", "timeout"]);
  });

  it("passes by default where a policy says Allow, but for what a deny names", async () => {
    const deny = [{ name: "stranger", to: [{ ipBlock: { cidr: `${stranger}/32` } }] }];
    await enforcer.enforce({ open: { firewall: { outbound: { deny, defaultAction: "Allow" } } } });
    expect(await outcomes([to(friend), to(stranger), to(stranger6)])).toEqual(["connected", "timeout", "connected"]);
  });

  it("decides by the default of the highest priority", async () => {
    const open = { priority: 2, firewall: { outbound: { ports: [8443], defaultAction: "Allow" } } };
    await enforcer.enforce({ friends, open });
    expect(await outcomes([to(stranger), to(stranger, 9000)])).toEqual(["connected", "timeout"]);
    await enforcer.enforce({ friends: { ...friends, priority: 3 }, open });
    expect(await outcomes([to(stranger)])).toEqual(["timeout"]);
  });

  it("judges only the interfaces of its scope", async () => {
    const on = (interfaces: object) => ({
      friends: { firewall: { outbound: { ...friends.firewall.outbound, interfaces } } },
    });
    await enforcer.enforce(on({ include: ["wg+"] }));
    expect(await outcomes([to(stranger)])).toEqual(["connected"]);
    await enforcer.enforce(on({ include: ["eth+"] }));
    expect(await outcomes([to(stranger)])).toEqual(["timeout"]);
    await enforcer.enforce(on({ exclude: ["eth0"] }));
    expect(await outcomes([to(stranger)])).toEqual(["connected"]);
  });
});

describe("what is not the node's to open", () => {
  it("passes to itself, by loopback and by its own addresses", async () => {
    await enforcer.enforce({ friends });
    expect(await outcomes([to("127.0.0.1"), to("::1"), to(node.ipv4), to(node.ipv6), udp(node.ipv4)])).toEqual(all(5));
  });

  it("leaves forwarded traffic alone: a pod still reaches a stranger", async () => {
    await client.exec("ip", ["route", "replace", node.podCidrs.ipv4, "via", node.ipv4]);
    await enforcer.enforce({ friends });
    expect(await outcomes([to(stranger)], await pod.traffic())).toEqual(["connected"]);
  });

  it("keeps connections that were open before it, and opens no new ones", async () => {
    const open = await Promise.all([inside.open(to(stranger)), inside.open(udp(stranger))]);
    await enforcer.kernel.prime();
    expect(await Promise.all(open.map((one) => one.exchange()))).toEqual(["echoed", "echoed"]);
    await enforcer.enforce({ friends });
    expect(await Promise.all(open.map((one) => one.exchange()))).toEqual(["echoed", "echoed"]);
    expect(await outcomes([to(stranger), udp(stranger)])).toEqual(["timeout", "timeout"]);
  });

  it("keeps TCP connections that conntrack had never seen", async () => {
    await node.exec("iptables-nft", ["-t", "raw", "-A", "OUTPUT", "-p", "tcp", "-j", "CT", "--notrack"]);
    await node.exec("iptables-nft", ["-t", "raw", "-A", "PREROUTING", "-p", "tcp", "-j", "CT", "--notrack"]);
    const open = await inside.open(to(stranger));
    await enforcer.enforce({ friends });
    const untracked = [await open.exchange(), ...(await outcomes([to(stranger)]))];
    await node.exec("iptables-nft", ["-t", "raw", "-F"]);
    expect(untracked).toEqual(["echoed", "timeout"]);
    expect(await open.exchange()).toBe("echoed");
  });
});

describe("replies", () => {
  it("of servers on the node are never cut, whatever the client's port", async () => {
    const everything = { firewall: { outbound: { ports: ["1-65535"] } } };
    const attempts = [stranger, stranger6].flatMap((from) => {
      const address = from === stranger ? node.ipv4 : node.ipv6;
      return [
        { ...to(address), from },
        { ...udp(address), from },
      ];
    });
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ everything }), outside);
    expect(seen).toEqual({ without: all(4), with: all(4) });
  });

  it("of a UDP server that is taken out of conntrack pass, while its tracked neighbour's own flows are judged", async () => {
    const everything = { firewall: { outbound: { ports: ["1-65535"] } } };
    const raw = (...rule: string[]) => node.exec("iptables-nft", ["-t", "raw", ...rule]);
    await raw("-A", "PREROUTING", "-p", "udp", "--dport", "8443", "-j", "CT", "--notrack");
    await raw("-A", "OUTPUT", "-p", "udp", "--sport", "8443", "-j", "CT", "--notrack");
    const attempt = [{ ...udp(node.ipv4), from: stranger }];
    const seen = await withAndWithout(attempt, () => enforcer.enforce({ everything }), outside);
    const own = await outcomes([udp(stranger)]);
    await raw("-F");
    expect(seen).toEqual({ without: ["connected"], with: ["connected"] });
    expect(own).toEqual(["timeout"]);
  });
});

describe("the trusted cluster, by destination", () => {
  const groups = () => [
    clusterGroup("nodes", [`${peer.ipv4}/32`]),
    clusterGroup("pods", [node.podCidrs.ipv4]),
    clusterGroup("service-cidrs", ["198.19.240.0/20"]),
  ];
  const nobody = { firewall: { outbound: {} } };

  it("passes to nodes, pods and services", async () => {
    const attempts = [to(peer.ipv4), to(pod.ipv4), to(clusterVip), to(stranger)];
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ nobody }, groups()));
    expect(seen).toEqual({ without: all(4), with: [...all(3), "timeout"] });
  });

  it("passes not by interface: a pod interface leads to a stranger's address too", async () => {
    await node.exec("ip", ["route", "add", "192.0.2.7/32", "dev", "cali1"]);
    await pod.exec("ip", ["addr", "add", "192.0.2.7/32", "dev", "eth0"]);
    const seen = await withAndWithout([to("192.0.2.7")], () => enforcer.enforce({ nobody }, groups()));
    expect(seen).toEqual({ without: ["connected"], with: ["timeout"] });
  });

  it("judges a service address by what is behind it: one that leads out of the cluster is no way round", async () => {
    const seen = await withAndWithout([to(strangerVip)], () => enforcer.enforce({ nobody }, groups()));
    expect(seen).toEqual({ without: ["connected"], with: ["timeout"] });
  });

  it("is judged like everything where trustCluster is false, and passes in the scope of a policy that trusts it", async () => {
    const strict = { firewall: { outbound: { trustCluster: false } } };
    await enforcer.enforce({ strict }, groups());
    expect(await outcomes([to(peer.ipv4), to(pod.ipv4)])).toEqual(["timeout", "timeout"]);
    await enforcer.enforce({ strict, trusting: { firewall: { outbound: { ports: [8443] } } } }, groups());
    expect(await outcomes([to(peer.ipv4), to(pod.ipv4)])).toEqual(["connected", "connected"]);
  });
});

it("never cuts the node from DNS and NTP, nor from the control plane of its own cluster", async () => {
  const everything = { firewall: { outbound: { ports: ["1-65535"], trustCluster: false } } };
  const open = [to(stranger, 53), udp(stranger, 53), udp(stranger, 123), to(peer.ipv4, 6443), to(peer.ipv4, 2379)];
  const closed = [to(stranger, 6443), to(stranger, 2379), to(stranger, 443), to(peer.ipv4)];
  const groups = [clusterGroup("apiservers", [`${peer.ipv4}/32`])];
  const seen = await withAndWithout([...open, ...closed], () => enforcer.enforce({ everything }, groups));
  expect(seen.without).toEqual(all(9));
  expect(seen.with).toEqual([...all(5), "timeout", "timeout", "timeout", "timeout"]);
});

it("judges both directions at once, each by its own rules", async () => {
  const both = {
    firewall: {
      inbound: { allow: [{ name: "in", from: [{ ipBlock: { cidr: `${friend}/32` } }] }] },
      outbound: { allow: [{ name: "out", to: [{ ipBlock: { cidr: `${stranger}/32` } }] }] },
    },
  };
  await enforcer.enforce({ both });
  expect(await outcomes([to(friend), to(stranger)])).toEqual(["timeout", "connected"]);
  const inward = [friend, stranger].map((from) => ({ ...to(node.ipv4), from }));
  expect(await outcomes(inward, outside)).toEqual(["connected", "timeout"]);
});
