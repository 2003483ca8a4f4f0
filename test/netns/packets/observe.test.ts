import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { clusterGroup, createEnforcer, type Enforcer } from "./enforcer.ts";
import { observedBy } from "./observed.ts";
import { hostVip, publishServices, serviceGroups, vip } from "./services.ts";

const office = "203.0.113.7";
const office6 = "2001:db8:113::7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";
/** Before TCP sends its SYN once more, so that one attempt is one packet. */
const ONE_PACKET = { timeoutMilliseconds: 500 };

const offices = [{ ipBlock: { cidr: "203.0.113.0/24" } }, { ipBlock: { cidr: "2001:db8:113::/64" } }];
const strangers = [{ ipBlock: { cidr: "198.51.100.0/24" } }, { ipBlock: { cidr: "2001:db8:51::/64" } }];
const onlyOffice = { firewall: { inbound: { allow: [{ name: "office", from: offices }] } } };
const onlyStrangers = { firewall: { inbound: { allow: [{ name: "strangers", from: strangers }] } } };
const observe = (policy: object) => ({ ...policy, mode: "Observe" });

let lab: Lab;
let node: Node;
let peer: Node;
let pod: Host;
let outside: Traffic;
let inside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  peer = await lab.node("peer");
  pod = await lab.pod(node, "pod");
  const sources = [`${office}/24`, `${stranger}/24`, ...[office6, stranger6].map((one) => `${one}/64`)];
  const client = await lab.client("outside", { sources });
  [inside, outside] = await Promise.all([node.traffic(), client.traffic()]);
  await inside.listen("tcp", [22, 80, 8443]);
  await inside.listen("udp", [8443]);
  await (await pod.traffic()).listen("tcp", [8080]);
  await outside.listen("tcp", [8443, 9000]);
  for (const address of [office, office6, stranger, stranger6]) await outside.listen("udp", [8443], address);
  await publishServices(node, pod, client);
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

async function outcomes(attempts: readonly Attempt[], from = outside): Promise<string[]> {
  return (await from.connectAll(attempts, ONE_PACKET)).map(({ outcome }) => outcome);
}
const all = (count: number, outcome = "connected") => Array.from({ length: count }, () => outcome);

const tcp = (from: string, port = 8443): Attempt => ({ from, to: from.includes(":") ? node.ipv6 : node.ipv4, port });
const udp = (from: string): Attempt => ({ ...tcp(from), protocol: "udp" });
const everyWay = (): readonly Attempt[] =>
  [office, office6, stranger, stranger6].flatMap((from) => [tcp(from), udp(from)]);

describe("a policy that observes alone", () => {
  it("lets everything pass and counts what it would drop by its default, v4 and v6, TCP and UDP, by source", async () => {
    await enforcer.enforce({ watch: observe(onlyOffice) });
    expect(await outcomes([...everyWay(), tcp(stranger)])).toEqual(all(9));
    expect(await observedBy(enforcer)).toEqual([`watch/default Drop 5: ${stranger} 3, ${stranger6} 2`]);
  });

  it("counts at NodePorts and service addresses, where they would be judged", async () => {
    await enforcer.enforce({ watch: observe(onlyOffice) }, serviceGroups);
    const to = (address: string, port: number) => ({ from: stranger, to: address, port });
    expect(await outcomes([to(node.ipv4, 30080), to(vip, 8080), to(hostVip, 80), to(node.ipv4, 80)])).toEqual(all(4));
    // 30080, 8080, and 8443 behind port 80 of the service.
    expect(await observedBy(enforcer)).toEqual([`watch/default Drop 3: ${stranger} 3`]);
  });

  it("names the deny that would drop, and spares failsafes, the trusted cluster and its other interfaces", async () => {
    const deny = [{ name: "bad", from: strangers, ports: [8443] }];
    const inbound = { ports: ["1-65535"], deny, allow: [{ name: "office", from: offices, ports: [8443] }] };
    const watch = observe({ firewall: { inbound: { ...inbound, interfaces: { include: ["eth+"] } } } });
    await enforcer.enforce({ watch }, [clusterGroup("nodes", [`${peer.ipv4}/32`])]);
    expect(await outcomes([tcp(stranger), tcp(stranger, 22), tcp(office)])).toEqual(all(3));
    expect(await outcomes([{ to: node.ipv4, port: 8443 }], await peer.traffic())).toEqual(all(1));
    expect(await observedBy(enforcer)).toEqual([`watch/bad Drop 1: ${stranger} 1`]);
    await enforcer.enforce({
      watch: observe({ firewall: { inbound: { ...inbound, interfaces: { include: ["wg0"] } } } }),
    });
    expect(await outcomes([tcp(stranger)])).toEqual(all(1));
    expect(await observedBy(enforcer)).toEqual([`watch/bad Drop 1: ${stranger} 1`]);
  });

  it("leaves sysctls, range and reserved ports alone", async () => {
    const key = "net.ipv4.ip_local_port_range";
    const keys = [key, "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout"];
    const before = await enforcer.kernel.sysctls(keys);
    const ephemeralPorts = { range: "50000-60000", reserved: [50001] };
    await enforcer.enforce({ watch: observe({ ephemeralPorts, sysctls: { "net.ipv4.tcp_fin_timeout": "7" } }) });
    expect(await enforcer.kernel.sysctls(keys)).toEqual(before);
  });
});

describe("beside a policy that is enforced", () => {
  const groups = () => [clusterGroup("nodes", [`${peer.ipv4}/32`])];

  it.each(["Drop", "Reject"])(
    "changes no verdict, and tells what would be dropped and what would open (%s)",
    async (defaultAction) => {
      const firm = { firewall: { inbound: { ...onlyOffice.firewall.inbound, defaultAction } } };
      const attempts = [...everyWay(), tcp(stranger, 30080), tcp(office, 30080), tcp(stranger, 80)];
      await enforcer.enforce({ firm }, groups());
      const without = await outcomes(attempts);
      const refused = defaultAction === "Drop" ? "timeout" : "refused";
      expect(without).toEqual([...all(4), ...all(4, refused), refused, "connected", "connected"]);
      const inbound = { deny: [{ name: "old-office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] };
      await enforcer.enforce(
        { firm, open: observe(onlyStrangers), close: observe({ firewall: { inbound } }) },
        groups(),
      );
      expect(await outcomes(attempts)).toEqual(without);
      expect(await observedBy(enforcer)).toEqual([
        `close/old-office Drop 3: ${office} 3`,
        `open/strangers Open 5: ${stranger} 3, ${stranger6} 2`,
      ]);
    },
  );

  it("would not open what an enforced deny drops, nor what an observed one denies", async () => {
    const deny = [{ name: "bad", from: [{ ipBlock: { cidr: `${stranger}/32` } }] }];
    await enforcer.enforce({
      firm: { firewall: { inbound: { deny } } },
      open: observe({
        firewall: {
          inbound: {
            defaultAction: "Allow",
            deny: [{ name: "six", from: [{ ipBlock: { cidr: `${stranger6}/128` } }] }],
          },
        },
        priority: 5,
      }),
    });
    expect(await outcomes([tcp(stranger), tcp(stranger6), tcp(office)])).toEqual(all(3, "timeout"));
    expect(await observedBy(enforcer)).toEqual([`open/default Open 1: ${office} 1`]);
  });

  it("would open by default only above the policy that closes", async () => {
    const open = observe({ firewall: { inbound: { defaultAction: "Allow" } }, priority: -1 });
    await enforcer.enforce({ firm: onlyOffice, open });
    expect(await outcomes([tcp(stranger), tcp(office)])).toEqual(["timeout", "connected"]);
    expect(await observedBy(enforcer)).toEqual([]);
  });

  it("would open to the trusted cluster what a policy closes that does not trust it, and close it likewise", async () => {
    const strict = { firewall: { inbound: { trustCluster: false } } };
    const attempt = [{ to: node.ipv4, port: 8443 }];
    const inPeer = await peer.traffic();
    await enforcer.enforce({ strict, trusting: observe({ firewall: { inbound: {} } }) }, groups());
    expect(await outcomes(attempt, inPeer)).toEqual(["timeout"]);
    expect(await observedBy(enforcer)).toEqual([`trusting/trust Open 1: ${peer.ipv4} 1`]);
    await enforcer.enforce({ strict: observe(strict) }, groups());
    expect(await outcomes(attempt, inPeer)).toEqual(["connected"]);
    expect(await observedBy(enforcer)).toEqual([`strict/default Drop 1: ${peer.ipv4} 1`]);
  });

  it("comes and goes without a moment that is more open or more closed", async () => {
    await enforcer.enforce({ firm: onlyOffice });
    const attempts = Array.from({ length: 60 }, (_, index) => tcp(index % 2 === 0 ? office : stranger));
    const seen: string[] = [];
    let running = true;
    let changes = 0;
    const finished = (async () => {
      while (changes < 6) {
        const results = await outside.connectAll(attempts, { ...ONE_PACKET, concurrency: 6 });
        seen.push(...results.map(({ outcome }) => outcome));
      }
    })().finally(() => {
      running = false;
    });
    for (; running; changes += 1) {
      const watch = changes % 2 === 0 ? { open: observe(onlyStrangers) } : {};
      await enforcer.enforce({ firm: onlyOffice, ...watch });
    }
    await finished;
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(seen.map((_, index) => (index % 2 === 0 ? "connected" : "timeout")));
  });
});

describe("outbound", () => {
  const to = (address: string, port = 8443): Attempt => ({ to: address, port });
  const both = [office, office6, stranger, stranger6].flatMap((one) => [
    to(one),
    { ...to(one), protocol: "udp" as const },
  ]);
  const toOffice = { firewall: { outbound: { allow: [{ name: "office", to: offices }] } } };

  it("passes as before, and what would be dropped is counted by destination", async () => {
    await enforcer.enforce({ watch: observe(toOffice) });
    expect(await outcomes(both, inside)).toEqual(all(8));
    expect(await observedBy(enforcer)).toEqual([`watch/default Drop 4: ${stranger} 2, ${stranger6} 2`]);
  });

  it("tells what would be dropped and what would open beside a policy that is enforced", async () => {
    const open = observe({ firewall: { outbound: { allow: [{ name: "strangers", to: strangers }] } } });
    const close = observe({
      firewall: { outbound: { deny: [{ name: "six", to: [{ ipBlock: { cidr: `${office6}/128` } }] }] } },
    });
    await enforcer.enforce({ firm: toOffice });
    const without = await outcomes(both, inside);
    expect(without).toEqual([...all(4), ...all(4, "timeout")]);
    await enforcer.enforce({ firm: toOffice, open, close });
    expect(await outcomes(both, inside)).toEqual(without);
    expect(await observedBy(enforcer)).toEqual([
      `close/six Drop 2: ${office6} 2`,
      `open/strangers Open 4: ${stranger} 2, ${stranger6} 2`,
    ]);
  });
});

it("keeps its counts, and the enforced ones theirs, when something else changes", async () => {
  await enforcer.enforce({ firm: onlyOffice, open: observe(onlyStrangers) });
  await outcomes([tcp(stranger)]);
  await enforcer.enforce({
    firm: onlyOffice,
    open: observe(onlyStrangers),
    other: { firewall: { outbound: {} } },
  });
  expect(await observedBy(enforcer)).toEqual([`open/strangers Open 1: ${stranger} 1`]);
  await enforcer.enforce({ firm: onlyOffice });
  const sets = (await node.exec("ipset", ["list", "-n"])).stdout.split("\n");
  expect(sets.filter((name) => /^ph-[wg]/.test(name))).toEqual([]);
  const counters = await enforcer.kernel.counters();
  expect(counters.find(({ comment, family }) => family === 4 && comment.startsWith("firm/default/"))?.packets).toBe(1);
});
