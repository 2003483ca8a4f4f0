import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";
import { hostVip, publishServices, serviceGroups, vip } from "./services.ts";

const friend = "203.0.113.7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";

const friends = [{ name: "friends", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];
const rejecting = { firewall: { inbound: { allow: friends, defaultAction: "Reject" } } };

let lab: Lab;
let node: Node;
let pod: Host;
let inside: Traffic;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  pod = await lab.pod(node, "pod");
  const sources = [`${friend}/24`, `${stranger}/24`, `${stranger6}/64`];
  const client = await lab.client("outside", { sources });
  [inside, outside] = await Promise.all([node.traffic(), client.traffic()]);
  await inside.listen("tcp", [22, 80, 8443]);
  await inside.listen("udp", [8443]);
  await (await pod.traffic()).listen("tcp", [8080]);
  await outside.listen("tcp", [80, 8443]);
  for (const address of [friend, stranger, stranger6]) await outside.listen("udp", [8443], address);
  await publishServices(node, pod, client);
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

async function outcomes(attempts: readonly Attempt[], from = outside): Promise<string[]> {
  return (await from.connectAll(attempts)).map(({ outcome }) => outcome);
}

async function withAndWithout(attempts: readonly Attempt[], enforce: () => Promise<void>, from = outside) {
  const without = await outcomes(attempts, from);
  await enforce();
  return { without, with: await outcomes(attempts, from) };
}

const all = (count: number, outcome = "connected") => Array.from({ length: count }, () => outcome);

describe("inbound Reject", () => {
  it("refuses at once: host ports, v4 and v6, TCP and UDP, NodePorts and service addresses", async () => {
    const attempts: Attempt[] = [
      { from: stranger, to: node.ipv4, port: 8443 },
      { from: stranger6, to: node.ipv6, port: 8443 },
      { from: stranger, to: node.ipv4, port: 8443, protocol: "udp" },
      { from: stranger6, to: node.ipv6, port: 8443, protocol: "udp" },
      { from: stranger, to: node.ipv4, port: 30080 },
      { from: stranger, to: vip, port: 8080 },
      { from: stranger, to: hostVip, port: 80 },
    ];
    const seen = await withAndWithout(attempts, () => enforcer.enforce({ rejecting }, serviceGroups));
    expect(seen).toEqual({ without: all(7), with: all(7, "refused") });
  });

  it("lets the allowed in by all those ways, and SSH", async () => {
    await enforcer.enforce({ rejecting }, serviceGroups);
    const attempts: Attempt[] = [
      { from: friend, to: node.ipv4, port: 8443 },
      { from: friend, to: node.ipv4, port: 8443, protocol: "udp" },
      { from: friend, to: node.ipv4, port: 30080 },
      { from: friend, to: vip, port: 8080 },
      { from: friend, to: hostVip, port: 80 },
      { from: stranger, to: node.ipv4, port: 22 },
      { from: stranger, to: node.ipv4, port: 80 },
    ];
    expect(await outcomes(attempts)).toEqual(all(7));
  });

  it("gives no answer to what a deny names", async () => {
    const deny = [{ name: "bad", from: [{ ipBlock: { cidr: `${stranger}/32` } }] }];
    await enforcer.enforce({ rejecting: { firewall: { inbound: { deny, defaultAction: "Reject" } } } });
    const attempts = [stranger, friend].map((from) => ({ from, to: node.ipv4, port: 8443 }));
    expect(await outcomes(attempts)).toEqual(["timeout", "refused"]);
  });

  it("keeps what was open before it, and forwarded traffic", async () => {
    const open = [
      await outside.open({ from: stranger, to: node.ipv4, port: 8443 }),
      await outside.open({ from: stranger, to: node.ipv4, port: 8443, protocol: "udp" }),
    ];
    await enforcer.kernel.prime();
    expect(await Promise.all(open.map((one) => one.exchange()))).toEqual(["echoed", "echoed"]);
    await enforcer.enforce({ rejecting });
    expect(await Promise.all(open.map((one) => one.exchange()))).toEqual(["echoed", "echoed"]);
    expect(await outcomes([{ from: stranger, to: pod.ipv4, port: 8080 }])).toEqual(["connected"]);
  });

  it("cuts nothing by a mark bit that somebody else set: neither new nor open connections", async () => {
    const open = await outside.open({ from: stranger, to: node.ipv4, port: 80 });
    await enforcer.enforce({ rejecting });
    await node.exec("iptables-nft", ["-t", "raw", "-A", "PREROUTING", "-j", "MARK", "--set-mark", "0x1000"]);
    const seen = await outcomes([
      { from: stranger, to: node.ipv4, port: 22 },
      { from: stranger, to: pod.ipv4, port: 8080 },
      { from: stranger, to: node.ipv4, port: 8443 },
    ]);
    const kept = await open.exchange();
    await node.exec("iptables-nft", ["-t", "raw", "-F"]);
    expect([...seen, kept]).toEqual(["connected", "connected", "refused", "echoed"]);
  });

  it("holds though another firewall accepts everything first in filter", async () => {
    await node.exec("iptables-nft", ["-t", "filter", "-I", "INPUT", "-j", "ACCEPT"]);
    await enforcer.enforce({ rejecting });
    expect(await outcomes([{ from: stranger, to: node.ipv4, port: 8443 }])).toEqual(["refused"]);
    await node.exec("iptables-nft", ["-t", "filter", "-F", "INPUT"]);
  });

  it("works on another bit, which the bits of others do not disturb", async () => {
    const other = await createEnforcer(node, { markBit: 0x8000_0000 });
    await other.enforce({ rejecting }, serviceGroups);
    await node.exec("iptables-nft", [
      "-t",
      "mangle",
      "-A",
      "PREROUTING",
      "-j",
      "MARK",
      "--set-xmark",
      "0x0/0x7fffffff",
    ]);
    expect(await other.kernel.rejectObstacle()).toBeUndefined();
    expect(await enforcer.kernel.rejectObstacle()).toContain("0x0/0x7fffffff");
    const seen = await outcomes([
      { from: stranger, to: node.ipv4, port: 8443 },
      { from: stranger6, to: node.ipv6, port: 8443, protocol: "udp" },
      { from: stranger, to: hostVip, port: 80 },
      { from: friend, to: node.ipv4, port: 8443 },
    ]);
    await node.exec("iptables-nft", [
      "-t",
      "mangle",
      "-D",
      "PREROUTING",
      "-j",
      "MARK",
      "--set-xmark",
      "0x0/0x7fffffff",
    ]);
    expect(seen).toEqual(["refused", "refused", "refused", "connected"]);
  });

  it("is never open while its bit changes", async () => {
    const other = await createEnforcer(node, { markBit: 0x20 });
    await enforcer.enforce({ rejecting });
    const attempts = Array.from({ length: 10 }, () => ({ from: stranger, to: node.ipv4, port: 8443 }));
    const seen = new Set<string>();
    let done = false;
    const hammer = (async () => {
      while (!done) for (const outcome of await outcomes(attempts)) seen.add(outcome);
    })();
    for (let turn = 0; turn < 5; turn++) {
      await other.enforce({ rejecting });
      await enforcer.enforce({ rejecting });
    }
    done = true;
    await hammer;
    expect(seen).toEqual(new Set(["refused"]));
    const { stdout } = await node.exec("nft", ["-s", "list", "table", "inet", "porthardening"]);
    expect(stdout).not.toContain("0x00000020");
  });

  it("is never open while it is switched on, off, or to Drop", async () => {
    const dropping = { firewall: { inbound: { allow: friends } } };
    const seen = new Set<string>();
    let done = false;
    const hammer = (async () => {
      while (!done)
        for (const outcome of await outcomes(
          Array.from({ length: 10 }, () => ({ from: stranger, to: node.ipv4, port: 8443 })),
        ))
          seen.add(outcome);
    })();
    await enforcer.enforce({ rejecting });
    seen.clear();
    for (let turn = 0; turn < 5; turn++) {
      await enforcer.enforce({ dropping });
      await enforcer.enforce({ rejecting });
    }
    done = true;
    await hammer;
    expect(seen).not.toContain("connected");
    expect(seen).toContain("refused");
  });
});

it("rejects outbound at once: TCP by a reset, UDP as unreachable, v4 and v6", async () => {
  const outbound = {
    allow: [{ name: "friends", to: [{ ipBlock: { cidr: `${friend}/32` } }] }],
    defaultAction: "Reject",
  };
  const attempts = [friend, stranger, stranger6].flatMap((to): Attempt[] => [
    { to, port: 8443 },
    { to, port: 8443, protocol: "udp" },
  ]);
  const seen = await withAndWithout(attempts, () => enforcer.enforce({ out: { firewall: { outbound } } }), inside);
  expect(seen).toEqual({ without: all(6), with: [...all(2), ...all(4, "refused")] });
});
