import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";
import { observedBy } from "./observed.ts";

const office = "203.0.113.7";
const stranger = "198.51.100.9";
const stranger6 = "2001:db8:51::9";
const neighbour6 = "2001:db8:51::a";
const observe = (policy: object) => ({ ...policy, mode: "Observe" });

let lab: Lab;
let node: Node;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  const sources = [`${office}/24`, `${stranger}/24`, `${stranger6}/64`, `${neighbour6}/64`];
  const client = await lab.client("outside", { sources });
  outside = await client.traffic();
  await (await node.traffic()).listen("tcp", [8443]);
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

const tcp = (from: string): Attempt => ({ from, to: from.includes(":") ? node.ipv6 : node.ipv4, port: 8443 });
const all = (count: number, outcome = "connected") => Array.from({ length: count }, () => outcome);

/** Before TCP sends its SYN once more, so that one attempt is one packet. */
async function outcomes(attempts: readonly Attempt[]): Promise<string[]> {
  const results = await outside.connectAll(attempts, { timeoutMilliseconds: 500 });
  return results.map(({ outcome }) => outcome);
}

describe("limits that observe", () => {
  const few = { name: "few", newConnections: { limit: 1, per: "Hour", burst: 3 } };

  it("count what is above them, by source, and cut nothing; a /64 has one budget", async () => {
    await enforcer.enforce({ watch: observe({ rateLimits: [few] }) });
    const many = [...Array.from({ length: 5 }, () => tcp(office)), ...Array.from({ length: 2 }, () => tcp(stranger))];
    const six = [stranger6, stranger6, neighbour6, neighbour6].map((from) => tcp(from));
    expect(await outcomes([...many, ...six])).toEqual(all(11));
    const [seen, ...others] = await observedBy(enforcer);
    expect(others).toEqual([]);
    expect(seen).toMatch(new RegExp(`^watch/few Drop 3: ${office} 2, 2001:db8:51::(9|a) 1$`));
  });

  it("spend nothing of what an equal limit that is enforced gives, nor the other way round", async () => {
    const limits = { rateLimits: [few] };
    await enforcer.enforce({
      firm: limits,
      watch: observe({ rateLimits: [{ ...few, newConnections: { ...few.newConnections, burst: 2 } }] }),
    });
    const results = await outcomes(Array.from({ length: 6 }, () => tcp(office)));
    expect(results.filter((one) => one === "connected")).toHaveLength(3);
    // What the enforced limit drops does not come to the observer.
    expect(await observedBy(enforcer)).toEqual([`watch/few Drop 1: ${office} 1`]);
  });

  it("count connections beyond so many at a time", async () => {
    await enforcer.enforce({ watch: observe({ rateLimits: [{ name: "two", maxConcurrent: 2 }] }) });
    const open = [];
    for (let count = 0; count < 4; count += 1) open.push(await outside.open(tcp(office)));
    expect(await Promise.all(open.map((one) => one.exchange()))).toEqual(all(4, "echoed"));
    expect(await observedBy(enforcer)).toEqual([`watch/two Drop 2: ${office} 2`]);
    await Promise.all(open.map((one) => one.close()));
  });

  it("drop nobody when they have no room for another source", async () => {
    await enforcer.enforce({ watch: observe({ rateLimits: [few] }) });
    const guard = enforcer.rules().counted?.find(({ name }) => name.startsWith("ph-g4-"))?.name ?? "";
    const full = ["create full hash:ip maxelem 1 timeout 9999", "add full 10.1.1.1", `swap full ${guard}`, ""];
    await node.exec("ipset", ["restore"], { input: full.join("\n") });
    expect(await outcomes(Array.from({ length: 5 }, () => tcp(office)))).toEqual(all(5));
    expect(await observedBy(enforcer)).toEqual([]);
    await enforcer.clear();
    await node.exec("ipset", ["destroy", "full"]);
  });
});

it("remembers so many addresses for an entry and no more, newcomers too, and counts all packets", async () => {
  await enforcer.enforce({ watch: observe({ firewall: { inbound: {} } }) });
  const tally = enforcer.rules().counted?.find(({ create }) => create.includes("counters forceadd"));
  const name = tally?.name ?? "";
  const others = Array.from({ length: 1024 }, (_, index) => `add others 10.1.${index >> 8}.${index & 255}\n`);
  const full = [`create others ${tally?.create}\n`, ...others, `swap others ${name}\n`, "destroy others\n"];
  await node.exec("ipset", ["restore"], { input: full.join("") });
  const many = (from: string) => [tcp(from), tcp(from), tcp(from)];
  expect(await outcomes([...many(stranger), ...many(office)])).toEqual(all(6));
  const size = /Number of entries: (\d+)/.exec((await node.exec("ipset", ["list", "-t", name])).stdout)?.[1];
  expect(Number(size)).toBeLessThanOrEqual(1024);
  // One in fifty newcomers finds its bucket empty and is left out.
  expect((await observedBy(enforcer))[0]).toMatch(/^watch\/default Drop 6: .*\b(198\.51\.100\.9|203\.0\.113\.7) 3\b/);
});
