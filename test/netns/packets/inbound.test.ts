import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { publishNodePort } from "../../lab/destination-nat.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";
import { hostVip, publishServices, vip } from "./services.ts";

const allowed = "203.0.113.7";
const allowed6 = "2001:db8:113::7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";
/** The subnet-router anycast address (RFC 4291, 2.6.1). */
const anycast = "2001:db8:18::";

/** Allows the office alone, on everything from 1024 up. */
const office = {
  firewall: {
    inbound: {
      allow: [
        { name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8:113::/64" } }] },
      ],
    },
  },
};

let lab: Lab;
let node: Node;
let pod: Host;
let peer: Node;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  peer = await lab.node("peer");
  pod = await lab.pod(node, "pod");
  const sources = [`${allowed}/24`, `${allowed6}/64`, `${stranger}/24`, `${stranger6}/64`];
  const client = await lab.client("outside", { sources });
  const [inNode, inPod] = await Promise.all([node.traffic(), pod.traffic()]);
  await inNode.listen("tcp", [80, 1023, 1024, 8443, 65535, 22, 10250]);
  await inNode.listen("udp", [8443]);
  await inPod.listen("tcp", [8080]);
  await publishServices(node, pod, client);
  await publishNodePort(node, { port: 30080, to: { address: pod.ipv6, port: 8080 } });
  // Every router answers for the subnet's anycast address; this test means one of them.
  const link = await node.exec("ip", ["-o", "link", "show", "dev", "eth0"]);
  const mac = /link\/ether (\S+)/.exec(link.stdout)?.[1] ?? "";
  await client.exec("ip", ["neigh", "replace", anycast, "lladdr", mac, "dev", "eth0", "nud", "permanent"]);
  outside = await client.traffic();
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

async function outcomes(attempts: readonly Attempt[]): Promise<string[]> {
  return (await outside.connectAll(attempts)).map(({ outcome }) => outcome);
}

/** The same attempts without and with a policy: a test whose packets never arrive anyway proves nothing. */
async function withAndWithout(
  attempts: readonly Attempt[],
  enforce: () => Promise<void>,
): Promise<{ without: string[]; with: string[] }> {
  const without = await outcomes(attempts);
  await enforce();
  return { without, with: await outcomes(attempts) };
}

describe("who may open a connection", () => {
  it("lets the allowed in and drops everybody else, on host ports and NodePorts, v4 and v6", async () => {
    const attempts = [8443, 30080].flatMap((port) => [
      { from: allowed, to: node.ipv4, port },
      { from: allowed6, to: node.ipv6, port },
      { from: stranger, to: node.ipv4, port },
      { from: stranger6, to: node.ipv6, port },
    ]);
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ office }));
    expect(seen.without).toEqual(Array.from({ length: 8 }, () => "connected"));
    expect(seen.with).toEqual([
      "connected",
      "connected",
      "timeout",
      "timeout",
      "connected",
      "connected",
      "timeout",
      "timeout",
    ]);
  });

  it("judges the ports of its scope to the last one, and no others", async () => {
    await enforcer.enforce({ office });
    const ports = [80, 1023, 1024, 65535];
    expect(await outcomes(ports.map((port) => ({ from: stranger, to: node.ipv4, port })))).toEqual([
      "connected",
      "connected",
      "timeout",
      "timeout",
    ]);
  });

  it("judges UDP by the first packet of a flow", async () => {
    const attempts = [allowed, stranger].map((from): Attempt => ({ from, to: node.ipv4, port: 8443, protocol: "udp" }));
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ office }));
    expect(seen).toEqual({ without: ["connected", "connected"], with: ["connected", "timeout"] });
  });

  it("refuses what a deny names, though an allow of another policy covers it", async () => {
    const group = { name: "bad", labels: {}, addresses: [`${allowed}/32`] };
    const deny = { firewall: { inbound: { deny: [{ name: "bad", from: [{ addressGroup: { name: "bad" } }] }] } } };
    await enforcer.enforce({ office, deny }, [group]);
    expect(await outcomes([{ from: allowed, to: node.ipv4, port: 8443 }])).toEqual(["timeout"]);
    await enforcer.enforce({ office, deny }, [{ ...group, addresses: [`${stranger}/32`] }]);
    expect(await outcomes([{ from: allowed, to: node.ipv4, port: 8443 }])).toEqual(["connected"]);
  });

  it("passes what any policy in scope allows", async () => {
    const partner = {
      firewall: { inbound: { allow: [{ name: "p", from: [{ ipBlock: { cidr: `${stranger}/32` } }], ports: [8443] }] } },
    };
    await enforcer.enforce({ office, partner });
    const attempts = [allowed, stranger].map((from) => ({ from, to: node.ipv4, port: 8443 }));
    expect(await outcomes(attempts)).toEqual(["connected", "connected"]);
    expect(await outcomes([{ from: stranger, to: node.ipv4, port: 1024 }])).toEqual(["timeout"]);
  });

  it("judges only the interfaces of its scope", async () => {
    const on = (interfaces: object) => ({
      office: { firewall: { inbound: { ...office.firewall.inbound, interfaces } } },
    });
    const attempt = [{ from: stranger, to: node.ipv4, port: 8443 }];
    await enforcer.enforce(on({ include: ["wg+"] }));
    expect(await outcomes(attempt)).toEqual(["connected"]);
    await enforcer.enforce(on({ include: ["eth+"] }));
    expect(await outcomes(attempt)).toEqual(["timeout"]);
    await enforcer.enforce(on({ include: ["eth+"], exclude: ["eth0"] }));
    expect(await outcomes(attempt)).toEqual(["connected"]);
  });

  it("never locks SSH out, and keeps kubelet for nodes alone, though the scope has both", async () => {
    const all = { firewall: { inbound: { ports: ["1-65535"] } } };
    await enforcer.enforce({ all }, [clusterGroup("nodes", [`${node.ipv4}/32`, `${peer.ipv4}/32`])]);
    const fromOutside = [22, 10250].map((port) => ({ from: stranger, to: node.ipv4, port }));
    expect(await outcomes(fromOutside)).toEqual(["connected", "timeout"]);
    const fromPeer = await (await peer.traffic()).connect({ to: node.ipv4, port: 10250 });
    expect(fromPeer.outcome).toBe("connected");
  });
});

describe("the trusted cluster", () => {
  const groups = () => [clusterGroup("nodes", [`${peer.ipv4}/32`]), clusterGroup("pods", [node.podCidrs.ipv4])];

  it("passes from nodes, and from pods through a pod interface", async () => {
    await enforcer.enforce({ office }, groups());
    const results = await Promise.all([
      (await peer.traffic()).connect({ to: node.ipv4, port: 8443 }),
      (await pod.traffic()).connect({ to: node.ipv4, port: 8443 }),
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(["connected", "connected"]);
  });

  it("does not pass a pod's address that comes in by the uplink", async () => {
    await enforcer.enforce({ office }, [clusterGroup("pods", ["198.51.100.0/24"])]);
    expect(await outcomes([{ from: stranger, to: node.ipv4, port: 8443 }])).toEqual(["timeout"]);
  });

  it("is judged like anybody where trustCluster is false", async () => {
    const strict = { firewall: { inbound: { ...office.firewall.inbound, trustCluster: false } } };
    await enforcer.enforce({ strict }, groups());
    expect((await (await peer.traffic()).connect({ to: node.ipv4, port: 8443 })).outcome).toBe("timeout");
  });

  it("passes in the scope of a policy that trusts it, though another does not", async () => {
    const strict = { firewall: { inbound: { ...office.firewall.inbound, trustCluster: false } } };
    const trusting = { firewall: { inbound: { ports: [8443] } } };
    await enforcer.enforce({ strict, trusting }, groups());
    const attempts = [8443, 1024].map((port) => ({ to: node.ipv4, port }));
    const results = await (await peer.traffic()).connectAll(attempts);
    expect(results.map(({ outcome }) => outcome)).toEqual(["connected", "timeout"]);
  });
});

describe("what conntrack cannot be trusted with", () => {
  it("judges a SYN on a stale tuple that conntrack takes for established", async () => {
    const attempt = { from: stranger, fromPort: 40_123, to: node.ipv4, port: 8443 };
    const stale = ["-s", stranger, "-d", node.ipv4, "-p", "tcp", "--sport", "40123", "--dport", "8443"];
    const forge = () =>
      node.exec("conntrack", ["-I", ...stale, "--state", "CLOSE_WAIT", "-u", "SEEN_REPLY,ASSURED", "-t", "600"]);
    await enforcer.enforce({ office });
    await forge();
    // What `! --ctstate ESTABLISHED` would have judged: the same SYN is established to conntrack.
    await node.exec("iptables-nft", ["-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--sport", "40123"]);
    await node.exec("iptables-nft", [
      "-t",
      "mangle",
      "-I",
      "PREROUTING",
      "1",
      "-p",
      "tcp",
      "--syn",
      "--sport",
      "40123",
      "-m",
      "conntrack",
      "--ctstate",
      "ESTABLISHED",
    ]);
    expect(await outcomes([attempt])).toEqual(["timeout"]);
    const counted = (await node.exec("iptables-nft", ["-t", "mangle", "-vnxL", "PREROUTING", "1"])).stdout;
    // More than once where TCP had the time to send it again.
    expect(Number(counted.trim().split(/\s+/)[0])).toBeGreaterThanOrEqual(1);
    await node.exec("iptables-nft", ["-t", "mangle", "-D", "PREROUTING", "1"]);
    await node.exec("iptables-nft", ["-t", "raw", "-F"]);
  });

  it("judges a SYN that is not tracked", async () => {
    const attempt = [{ from: stranger, to: node.ipv4, port: 8443 }];
    await node.exec("iptables-nft", ["-t", "raw", "-A", "PREROUTING", "-p", "tcp", "-j", "CT", "--notrack"]);
    await node.exec("iptables-nft", ["-t", "raw", "-A", "OUTPUT", "-p", "tcp", "-j", "CT", "--notrack"]);
    const seen = await withAndWithout(attempt, () => enforcer.enforce({ office }));
    await node.exec("iptables-nft", ["-t", "raw", "-F"]);
    expect(seen).toEqual({ without: ["connected"], with: ["timeout"] });
  });
});

describe("ways around the node's own addresses", () => {
  it("judges UDP by broadcast and by anycast", async () => {
    const attempts: Attempt[] = [
      { from: stranger, to: "198.18.255.255", port: 8443, protocol: "udp", broadcast: true },
      { from: stranger6, to: anycast, port: 8443, protocol: "udp", broadcast: true },
    ];
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ office }));
    expect(seen).toEqual({ without: ["connected", "connected"], with: ["timeout", "timeout"] });
  });

  it("judges service addresses that it answers", async () => {
    const attempts = [allowed, stranger].map((from) => ({ from, to: vip, port: 8080 }));
    const groups = [clusterGroup("vips", [`${vip}/32`]), clusterGroup("service-cidrs", ["198.19.240.0/20"])];
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ office }, groups));
    expect(seen).toEqual({ without: ["connected", "connected"], with: ["connected", "timeout"] });
  });

  it("judges a service address that leads to a host port, by that port", async () => {
    // 80 is below the scope; behind the DNAT it is 8443.
    const attempts = [allowed, stranger].map((from) => ({ from, to: hostVip, port: 80 }));
    const groups = [clusterGroup("vips", [`${hostVip}/32`]), clusterGroup("service-cidrs", ["198.19.240.0/20"])];
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ office }, groups));
    expect(seen).toEqual({ without: ["connected", "connected"], with: ["connected", "timeout"] });
  });

  it("leaves forwarded traffic alone: a stranger still reaches a pod's own address", async () => {
    await enforcer.enforce({ office });
    expect(await outcomes([{ from: stranger, to: pod.ipv4, port: 8080 }])).toEqual(["connected"]);
  });
});
