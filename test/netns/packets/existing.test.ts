import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { OpenConnection, Traffic } from "../../lab/traffic/traffic.ts";
import { connectedNode, serviceGroups, vip } from "./connected-node.ts";
import { type CuttingEnforcer, cuttingEnforcer } from "./cutting-enforcer.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";

const friend = "203.0.113.7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";

const friends = [{ name: "friends", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }];

let lab: Lab;
let node: Node;
let outsideHost: Host;
let inside: Traffic;
let outside: Traffic;
let enforcer: Enforcer;
let cutter: CuttingEnforcer;
let open: OpenConnection[] = [];

beforeAll(async () => {
  lab = await createLab();
  ({
    node,
    client: outsideHost,
    inside,
    outside,
    enforcer,
  } = await connectedNode(lab, [`${friend}/24`, `${stranger}/24`, `${stranger6}/64`]));
  await outside.listen("tcp", [8443]);
  await outside.listen("udp", [9443], stranger);
}, 60_000);
afterAll(() => lab.close());

beforeEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await enforcer.clear();
  await node.exec("conntrack", ["-F"]);
  cutter = cuttingEnforcer(enforcer);
});

const enforce = (specs: Readonly<Record<string, object>>, groups = serviceGroups) => cutter.enforce(specs, groups);

async function opened(attempts: readonly Attempt[], from = outside): Promise<OpenConnection[]> {
  const connections = await Promise.all(attempts.map((attempt) => from.open(attempt)));
  open.push(...connections);
  return connections;
}

/** What each says when it is used again. */
const used = (connections: readonly OpenConnection[]) => Promise.all(connections.map((one) => one.exchange(700)));

/** Waits until so many answers to what is cut were dropped. */
async function answersDropped(count: number): Promise<void> {
  const dropped = async () => {
    const { stdout: saved } = await node.exec("iptables-nft-save", ["-t", "filter", "-c"]);
    return Number(/^\[(\d+):.*--ctdir REPLY .*-j DROP$/m.exec(saved)?.[1] ?? 0);
  };
  await expect.poll(dropped, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
}

const all = (count: number, outcome = "echoed") => Array.from({ length: count }, () => outcome);

const ways = (from4: string): Attempt[] => [
  { from: from4, to: node.ipv4, port: 8443 },
  { from: from4, to: node.ipv4, port: 8443, protocol: "udp" },
  { from: from4, to: node.ipv4, port: 30080 },
  { from: from4, to: vip, port: 80 },
];
const ways6 = (): Attempt[] => [
  { from: stranger6, to: node.ipv6, port: 8443 },
  { from: stranger6, to: node.ipv6, port: 8443, protocol: "udp" },
];

const inbound = (existing: string | undefined, defaultAction = "Drop") => ({
  firewall: { ...(existing === undefined ? {} : { existing }), inbound: { allow: friends, defaultAction } },
});

describe("connections that a new policy refuses", () => {
  it("live on unless it says otherwise, and are counted with who they are", async () => {
    const kept = await opened([...ways(stranger), ...ways6(), ...ways(friend)]);
    await enforce({ workers: inbound(undefined) });
    expect(await used(kept)).toEqual(all(10));
    expect(cutter.guard.ofPolicy("workers")).toMatchObject({ kept: 6, cut: 0 });
    const of = { direction: "Inbound", peer: stranger };
    expect(cutter.guard.ofPolicy("workers")?.top).toEqual(
      expect.arrayContaining([
        // One of them by the service address, judged on the port behind it.
        { ...of, protocol: "TCP", port: 8443, connections: 2 },
        { ...of, protocol: "UDP", port: 8443, connections: 1 },
        { ...of, protocol: "TCP", port: 30080, connections: 1 },
      ]),
    );
  });

  it("are cut by Cut: TCP, UDP, NodePorts, service addresses, v4 and v6", async () => {
    const cut = await opened([...ways(stranger), ...ways6()]);
    await enforce({ workers: inbound("Cut") });
    expect(cutter.guard.ofPolicy("workers")).toMatchObject({ kept: 0, cut: 6 });
    expect(await used(cut)).toEqual(all(6, "silent"));
  });

  it("hear that they are cut where the default action is Reject", async () => {
    const cut = await opened([...ways(stranger), ...ways6()]);
    await enforce({ workers: inbound("Cut", "Reject") });
    expect(await used(cut)).toEqual(all(6, "closed"));
  });

  it("are not cut where they are allowed, trusted, a failsafe, out of scope or the node's own", async () => {
    const trusted = clusterGroup("nodes", [`${stranger}/32`]);
    const kept = [
      ...(await opened([...ways(friend), { from: stranger, to: node.ipv4, port: 22 }])),
      ...(await opened(
        [
          { to: stranger, port: 9443 },
          { to: stranger, port: 9443, protocol: "udp" },
        ],
        inside,
      )),
    ];
    await enforce({ workers: inbound("Cut", "Reject") });
    expect(await used(kept)).toEqual(all(7));
    const strangers = await opened([{ from: stranger6, to: node.ipv6, port: 22 }]);
    await enforce({ workers: inbound("Cut") }, [...serviceGroups, trusted]);
    expect(await used([...kept, ...strangers])).toEqual(all(8));
  });
});

describe("outbound connections that a new policy refuses", () => {
  const outbound = (existing: string, defaultAction: string) => ({
    firewall: {
      existing,
      outbound: { allow: [{ name: "f", to: [{ ipBlock: { cidr: `${friend}/32` } }] }], defaultAction },
    },
  });
  const attempts: Attempt[] = [
    { to: stranger, port: 9443 },
    { to: stranger, port: 9443, protocol: "udp" },
    { to: stranger6, port: 9443 },
  ];

  it.each([
    ["Keep", "Drop", "echoed"],
    ["Cut", "Drop", "silent"],
    ["Cut", "Reject", "closed"],
  ])("%s and %s: %s", async (existing, action, outcome) => {
    const refused = await opened(attempts, inside);
    const allowed = await opened([{ to: friend, port: 9443 }], inside);
    const others = await opened([
      { from: stranger, to: node.ipv4, port: 8443 },
      { from: stranger, to: node.ipv4, port: 8443, protocol: "udp" },
    ]);
    await enforce({ out: outbound(existing, action) });
    expect(cutter.guard.ofPolicy("out")).toMatchObject({
      kept: existing === "Keep" ? 3 : 0,
      cut: existing === "Keep" ? 0 : 3,
    });
    expect(await used(refused)).toEqual(all(3, outcome));
    expect(await used([...allowed, ...others])).toEqual(all(3));
  });
});

it("of a port that the node may not open leaves alone who comes in from that very port", async () => {
  const listener = await outside.listen("tcp", [9555], stranger);
  const refused = await opened([{ to: stranger, port: 9555 }], inside);
  await listener.close();
  const ssh = await opened([{ from: stranger, fromPort: 9555, to: node.ipv4, port: 22 }]);
  await enforce({ out: { firewall: { existing: "Cut", outbound: {} } } });
  expect(await used(refused)).toEqual(["silent"]);
  expect(await used(ssh)).toEqual(["echoed"]);
});

describe("what is cut", () => {
  it("hears nothing more of a UDP server that sends by itself", async () => {
    const server = `
      const socket = require("node:dgram").createSocket("udp4");
      socket.once("message", (_, { port, address }) => setInterval(() => socket.send("more", port, address), 20));
      socket.bind(7100, () => console.log("bound"));`;
    const client = `
      let heard = 0;
      const socket = require("node:dgram").createSocket("udp4");
      socket.on("message", () => console.log("heard", ++heard));
      socket.bind(0, "${stranger}", () => socket.send("begin", 7100, "${node.ipv4}"));`;
    const pusher = await node.spawn("pusher", process.execPath, ["-e", server]);
    await pusher.waitForLog(/bound/, 5_000);
    const listener = await outsideHost.spawn("listener", process.execPath, ["-e", client]);
    await listener.waitForLog(/heard 3/, 5_000);
    await enforce({ workers: inbound("Cut") });
    const heard = () => listener.log().trim().split("\n").length;
    await answersDropped(5);
    const before = heard();
    await answersDropped(10);
    expect(heard()).toBe(before);
    await Promise.all([pusher.stop(), listener.stop()]);
  });

  it("follows a blocklist at once, and only what it names", async () => {
    const policy = {
      workers: {
        firewall: {
          existing: "Cut",
          inbound: { defaultAction: "Allow", deny: [{ name: "bad", from: [{ addressGroup: { name: "blocklist" } }] }] },
        },
      },
    };
    const list = (addresses: readonly string[]) => [...serviceGroups, { name: "blocklist", labels: {}, addresses }];
    await enforce(policy, list(["192.0.2.0/24"]));
    const [first, other] = [await opened(ways(stranger)), await opened(ways(friend))];
    expect(await used([...first, ...other])).toEqual(all(8));
    await enforce(policy, list(["192.0.2.0/24", `${stranger}/32`]));
    expect(await used(first)).toEqual(all(4, "silent"));
    expect(await used(other)).toEqual(all(4));
  });

  it("lives again when it is allowed again, as far as both ends still try", async () => {
    const cut = await opened(ways(stranger));
    await enforce({ workers: inbound("Cut") });
    expect(await used(cut)).toEqual(all(4, "silent"));
    await enforce({ workers: inbound("Cut"), more: { firewall: { inbound: {} } } });
    expect(await used(cut)).toEqual(all(4, "silent"));
    const allow = [{ name: "a", from: [{ ipBlock: { cidr: `${stranger}/32` } }] }];
    await enforce({ workers: inbound("Cut"), more: { firewall: { inbound: { allow } } } });
    await expect.poll(() => used(cut), { timeout: 10_000 }).toEqual(all(4));
    expect(cutter.guard.ofPolicy("workers")).toMatchObject({ kept: 0, cut: 0 });
  });

  it("is what one policy refuses and cuts, though another that keeps refuses it first", async () => {
    const cut = await opened(ways(stranger));
    const kept = await opened([{ from: stranger6, to: node.ipv6, port: 8443 }]);
    const below = {
      existing: "Cut",
      inbound: { defaultAction: "Drop", allow: [{ name: "six", from: [{ ipBlock: { cidr: "::/0" } }] }] },
    };
    const above = { deny: [{ name: "all" }] };
    await enforce({ above: { priority: 10, firewall: { inbound: above } }, below: { firewall: below } });
    expect(cutter.guard.ofPolicy("above")).toMatchObject({ kept: 1, cut: 0 });
    expect(cutter.guard.ofPolicy("below")).toMatchObject({ kept: 0, cut: 4 });
    expect(await used(cut)).toEqual(all(4, "silent"));
    expect(await used(kept)).toEqual(all(1));
  });

  it("stays cut when conntrack forgets it, whether or not it picks up what it did not see begin", async () => {
    for (const loose of ["1", "0"]) {
      const cut = await opened(ways(stranger).slice(0, 1));
      await enforce({ workers: inbound("Cut") });
      await node.exec("sysctl", ["-qw", `net.netfilter.nf_conntrack_tcp_loose=${loose}`]);
      await node.exec("conntrack", ["-F"]);
      expect(await used(cut)).toEqual(["silent"]);
      await enforcer.clear();
    }
    await node.exec("sysctl", ["-qw", "net.netfilter.nf_conntrack_tcp_loose=1"]);
  });

  it("stays cut over a restart of the agent, also what conntrack has forgotten", async () => {
    const cut = await opened(ways(stranger).slice(0, 1));
    await enforce({ workers: inbound("Cut") });
    await node.exec("conntrack", ["-F"]);
    cutter = cuttingEnforcer(enforcer);
    await enforce({ workers: inbound("Cut") });
    expect(await used(cut)).toEqual(["silent"]);
  });

  it("is told from the answers of the node's own connections, also when conntrack has forgotten all", async () => {
    const own = await opened([{ to: stranger, port: 9443 }], inside);
    const allowed = await opened(ways(friend).slice(0, 1));
    const cut = await opened(ways(stranger).slice(0, 1));
    await enforce({ workers: inbound("Cut") });
    await node.exec("conntrack", ["-F"]);
    expect(await used([...own, ...allowed])).toEqual(all(2));
    // What is known now began in the middle.
    await enforce({ workers: inbound("Cut", "Reject") });
    expect(await used([...own, ...allowed])).toEqual(all(2));
    expect(await used(cut)).toEqual(["closed"]);
  });

  it("is cut too where conntrack took the answer for the opening", async () => {
    const attempt: Attempt = { from: stranger, to: node.ipv4, port: 8443 };
    const [cut] = await opened([attempt]);
    const ends = ["-s", node.ipv4, "-d", stranger, "--sport", "8443", "--dport", `${cut?.localPort}`];
    await node.exec("conntrack", ["-F"]);
    const entry = ["--state", "ESTABLISHED", "-u", "SEEN_REPLY,ASSURED", "-t", "600"];
    await node.exec("conntrack", ["-I", "-p", "tcp", ...ends, ...entry]);
    await enforce({ workers: inbound("Cut") });
    expect(cutter.guard.ofPolicy("workers")).toMatchObject({ kept: 0, cut: 1 });
    expect(await used(cut === undefined ? [] : [cut])).toEqual(["silent"]);
  });
});

it("first enforcement cuts what priming made known, and none of what is allowed", async () => {
  const cold = await lab.node("cold");
  await (await cold.traffic()).listen("tcp", [8443]);
  const own = await createEnforcer(cold);
  const attempts = (from: string) => Array.from({ length: 10 }, (): Attempt => ({ from, to: cold.ipv4, port: 8443 }));
  const [refused, allowed] = [await opened(attempts(stranger)), await opened(attempts(friend))];
  expect((await own.kernel.facts()).conntrackActive).toBe(false);
  await own.kernel.prime();
  expect(await used([...refused, ...allowed])).toEqual(all(20));
  await cuttingEnforcer(own).enforce({ workers: inbound("Cut", "Reject") });
  expect(await used(allowed)).toEqual(all(10));
  expect(await used(refused)).toEqual(all(10, "closed"));
});
