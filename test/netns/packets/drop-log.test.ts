import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compileEnforcement } from "../../../src/agent/enforcement.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { cuttingEnforcer } from "./cutting-enforcer.ts";
import { watchDrops } from "./dropped.ts";
import { assignedOf, createEnforcer, type Enforcer } from "./enforcer.ts";

const office = "203.0.113.7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";
/** Before TCP sends its SYN once more, so that one attempt is one packet. */
const ONE_PACKET = { timeoutMilliseconds: 500 };

const monitoring = { dropLog: { perMinute: 60 } };
const blocks = (...cidrs: string[]) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));
const strangers = blocks("198.51.100.0/24", "2001:db8:51::/64");

let lab: Lab;
let node: Node;
let outside: Traffic;
let inside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  const client = await lab.client("outside", { sources: [`${office}/24`, `${stranger}/24`, `${stranger6}/64`] });
  [outside, inside] = await Promise.all([client.traffic(), node.traffic()]);
  await inside.listen("tcp", [80, 8443, 9000]);
  await inside.listen("udp", [8443]);
  await outside.listen("tcp", [9000]);
  for (const address of [stranger, stranger6]) await outside.listen("udp", [9000], address);
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

const tcp = (from: string, port = 8443): Attempt => ({ from, to: from.includes(":") ? node.ipv6 : node.ipv4, port });
const udp = (from: string): Attempt => ({ ...tcp(from), protocol: "udp" });
const times = (count: number, attempt: Attempt) => Array.from({ length: count }, () => attempt);

async function outcomes(attempts: readonly Attempt[], from = outside): Promise<string[]> {
  return (await from.connectAll(attempts, ONE_PACKET)).map(({ outcome }) => outcome);
}
const all = (count: number, outcome: string) => Array.from({ length: count }, () => outcome);

describe("who is dropped", () => {
  it("is said with protocol and port, v4 and v6, by the entry that dropped, and by no entry that let pass", async () => {
    const deny = [{ name: "bad", from: strangers, ports: [9000] }];
    const inbound = { deny, allow: [{ name: "office", from: blocks("203.0.113.0/24") }] };
    await enforcer.enforce({ firm: { firewall: { inbound }, monitoring } });
    const watch = watchDrops(enforcer, ["firm"]);
    expect(await watch.said()).toEqual([]);
    const dropped = [...times(3, tcp(stranger)), ...times(2, udp(stranger)), tcp(stranger6), udp(stranger6)];
    expect(await outcomes([...dropped, tcp(stranger, 9000), tcp(stranger6, 9000)])).toEqual(all(9, "timeout"));
    expect(await outcomes([tcp(office), udp(office), tcp(stranger, 80)])).toEqual(all(3, "connected"));
    expect(await watch.said()).toEqual([
      `firm/bad Inbound ${stranger} TCP 9000: 1`,
      `firm/bad Inbound ${stranger6} TCP 9000: 1`,
      `firm/default Inbound ${stranger} TCP 8443: 3`,
      `firm/default Inbound ${stranger} UDP 8443: 2`,
      `firm/default Inbound ${stranger6} TCP 8443: 1`,
      `firm/default Inbound ${stranger6} UDP 8443: 1`,
    ]);
    expect(watch.status()).toEqual([
      `firm/default Inbound 7: ${stranger} 5, ${stranger6} 2`,
      `firm/bad Inbound 2: ${stranger} 1, ${stranger6} 1`,
    ]);
    // What was said is not said again.
    expect(await watch.said()).toEqual([]);
    expect(await outcomes([tcp(stranger)])).toEqual(all(1, "timeout"));
    expect(await watch.said()).toEqual([`firm/default Inbound ${stranger} TCP 8443: 1`]);
  });

  it("is said of what is rejected, which still hears so", async () => {
    const firewall = { inbound: { defaultAction: "Reject" } };
    await enforcer.enforce({ firm: { firewall, monitoring } });
    const watch = watchDrops(enforcer, ["firm"]);
    await watch.said();
    const attempts = [tcp(stranger), tcp(stranger), udp(stranger), tcp(stranger6), udp(stranger6)];
    // The second of a source finds the set filled.
    for (const attempt of attempts) expect(await outcomes([attempt])).toEqual(["refused"]);
    expect(await watch.said()).toEqual([
      `firm/default Inbound ${stranger} TCP 8443: 2`,
      `firm/default Inbound ${stranger} UDP 8443: 1`,
      `firm/default Inbound ${stranger6} TCP 8443: 1`,
      `firm/default Inbound ${stranger6} UDP 8443: 1`,
    ]);
  });

  it("is the destination of what the node opens, dropped and rejected", async () => {
    const to = (address: string, protocol: "tcp" | "udp"): Attempt => ({ to: address, port: 9000, protocol });
    const attempts = [to(stranger, "tcp"), to(stranger, "udp"), to(stranger6, "tcp"), to(stranger6, "udp")];
    const deny = [{ name: "bad", to: blocks("198.51.100.0/24") }];
    const outbound = { deny, ports: [9000], protocols: ["TCP", "UDP"], defaultAction: "Reject" };
    await enforcer.enforce({ firm: { firewall: { outbound }, monitoring } });
    const watch = watchDrops(enforcer, ["firm"]);
    await watch.said();
    const found = await outcomes([...attempts, ...attempts], inside);
    expect(found.filter((_, index) => index % 4 < 2)).not.toContain("connected");
    expect(found.filter((_, index) => index % 4 >= 2)).toEqual(all(4, "refused"));
    expect(await watch.said()).toEqual([
      `firm/bad Outbound ${stranger} TCP 9000: 2`,
      `firm/bad Outbound ${stranger} UDP 9000: 2`,
      `firm/default Outbound ${stranger6} TCP 9000: 2`,
      `firm/default Outbound ${stranger6} UDP 9000: 2`,
    ]);
  });

  it("is who is above a limit, and nobody who is within", async () => {
    const rateLimits = [
      { name: "few", ports: [8443], newConnections: { limit: 1, per: "Hour", burst: 3 } },
      { name: "two", ports: [9000], maxConcurrent: 2 },
    ];
    await enforcer.enforce({ firm: { rateLimits, monitoring } });
    const watch = watchDrops(enforcer, ["firm"]);
    await watch.said();
    const found = await outcomes([...times(5, tcp(stranger)), tcp(office)]);
    expect(found.filter((one) => one === "connected")).toHaveLength(4);
    const open = [];
    for (let count = 0; count < 2; count += 1) open.push(await outside.open(tcp(stranger6, 9000)));
    expect(await outcomes(times(3, tcp(stranger6, 9000)))).toEqual(all(3, "timeout"));
    expect(await Promise.all(open.map((one) => one.exchange()))).toEqual(all(2, "echoed"));
    await Promise.all(open.map((one) => one.close()));
    expect(await watch.said()).toEqual([
      `firm/few Inbound ${stranger} TCP 8443: 2`,
      `firm/two Inbound ${stranger6} TCP 9000: 3`,
    ]);
  });

  it("is said only by the policy that asks, also where another drops first, and by none that observes", async () => {
    const silent = { priority: 2, firewall: { inbound: { ports: [9000] } } };
    const firm = { priority: 1, firewall: { inbound: { ports: [8443] } }, monitoring };
    const tried = { mode: "Observe", firewall: { inbound: { ports: [80] } }, monitoring };
    await enforcer.enforce({ silent, firm, tried });
    const watch = watchDrops(enforcer, ["firm"]);
    await watch.said();
    expect(await outcomes([tcp(stranger), tcp(stranger, 9000), tcp(stranger, 80)])).toEqual([
      "timeout",
      "timeout",
      "connected",
    ]);
    expect(await watch.said()).toEqual([`firm/default Inbound ${stranger} TCP 8443: 1`]);
    expect(enforcer.rules().counted?.filter(({ drops }) => drops !== undefined)).toHaveLength(2);
  });

  it("is who had a connection open that is cut, rejected too", async () => {
    // So that conntrack is active when it opens.
    await enforcer.enforce({ other: { firewall: { inbound: { ports: [80] } } } });
    const open = await Promise.all([tcp(stranger), udp(stranger6)].map((attempt) => outside.open(attempt)));
    const inbound = { ports: [8443], defaultAction: "Reject" };
    const specs = { firm: { firewall: { inbound, existing: "Cut" }, monitoring } };
    await cuttingEnforcer(enforcer).enforce(specs);
    const { rules } = compileEnforcement(assignedOf(specs), { present: [], before: [] }, DEFAULT_NODE_SETTINGS);
    const watch = watchDrops({ ...enforcer, rules: () => rules }, ["firm"]);
    expect(await Promise.all(open.map((one) => one.exchange(700)))).toEqual(all(2, "closed"));
    const said = await watch.said();
    expect(said[0]).toMatch(new RegExp(`^firm/default Inbound ${stranger} TCP 8443: [1-9]`));
    expect(said[1]).toMatch(new RegExp(`^firm/default Inbound ${stranger6} UDP 8443: [1-9]`));
    await Promise.all(open.map((one) => one.close()));
  });
});

it("drops whether or not a source finds room, and says how many packets had no name", async () => {
  await enforcer.enforce({ firm: { firewall: { inbound: { ports: [8443] } }, monitoring } });
  const watch = watchDrops(enforcer, ["firm"]);
  await watch.said();
  const set = enforcer.rules().counted?.find(({ drops, family }) => drops !== undefined && family === 4)?.name ?? "";
  // One that takes nobody.
  const full = ["create full hash:ip,port maxelem 1 counters", `swap full ${set}`, `add ${set} 10.1.1.1,tcp:1`, ""];
  await node.exec("ipset", ["restore"], { input: full.join("\n") });
  expect(await outcomes(times(4, tcp(stranger)))).toEqual(all(4, "timeout"));
  expect(await outcomes([tcp(stranger6)])).toEqual(all(1, "timeout"));
  const said = await watch.said();
  expect(said).toContain(`firm/default Inbound ${stranger6} TCP 8443: 1`);
  expect(said).toContain("firm: dropped, and not named one by one: 0 peers, 4 packets");
  expect(watch.status()[0]).toMatch(/^firm\/default Inbound 5: /);
  await enforcer.clear();
  await node.exec("ipset", ["destroy", "full"]);
});

it("remembers no more than it has room for, however many come", async () => {
  await enforcer.enforce({ firm: { firewall: { inbound: { ports: [8443] } }, monitoring } });
  const set = enforcer.rules().counted?.find(({ drops, family }) => drops !== undefined && family === 4);
  const name = set?.name ?? "";
  const others = Array.from({ length: 1024 }, (_, index) => `add others 10.1.${index >> 8}.${index & 255},tcp:8443\n`);
  const full = [`create others ${set?.create}\n`, ...others, `swap others ${name}\n`, "destroy others\n"];
  await node.exec("ipset", ["restore"], { input: full.join("") });
  expect(await outcomes([...times(3, tcp(stranger)), tcp(office)])).toEqual(all(4, "timeout"));
  const size = /Number of entries: (\d+)/.exec((await node.exec("ipset", ["list", "-t", name])).stdout)?.[1];
  expect(Number(size)).toBeLessThanOrEqual(1024);
});
