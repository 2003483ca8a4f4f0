/**
 * `node bench/dropping.ts`: what a dropped packet costs with and without `dropLog`, how large the sets become, and what
 * reading them takes. A flood of SYNs from one host to another; two minutes.
 */
import { join } from "node:path";
import { linuxKernel } from "../src/kernel/linux-kernel.ts";
import type { Node } from "../test/lab/hosts.ts";
import { createLab } from "../test/lab/lab.ts";
import { namespaceHost } from "../test/netns/kernel/namespace-host.ts";
import { createEnforcer, type Enforcer } from "../test/netns/packets/enforcer.ts";

const PORT = 8443;
const PACKETS = 200_000;
const ROUNDS = 4;
/** One, as many as a set remembers, and a flood of made-up ones. */
const SOURCES = [1, 1_000, 50_000];

const firewall = { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } };
const policies = {
  dropped: { firewall },
  "dropped and logged": { firewall, monitoring: { dropLog: { perMinute: 60 } } },
};

const print = (text: string): void => void process.stdout.write(`${text}\n`);

await using lab = await createLab();
const node = await lab.node("node");
const client = await lab.client("client");
const enforcer = await createEnforcer(node);

/** Of a packet, of the one CPU that sends it and takes it through bridge, veth and the rules of the node. */
async function nanoseconds(sources: number): Promise<number> {
  const flood = join(import.meta.dirname, "flood.pl");
  const args = ["-c", "1", "perl", flood, node.ipv4, String(PORT), String(sources), String(PACKETS)];
  return Number((await client.exec("taskset", args, { timeoutMilliseconds: 120_000 })).stdout);
}

/** The way there alone: dropped ahead of conntrack and of all our rules. */
async function wayThere(sources: number): Promise<number> {
  const rule = ["PREROUTING", "-i", "eth0", "-j", "DROP"];
  await node.exec("iptables-nft", ["-t", "raw", "-A", ...rule]);
  const cost = await nanoseconds(sources);
  await node.exec("iptables-nft", ["-t", "raw", "-D", ...rule]);
  return cost;
}

async function measurePackets(sources: number): Promise<void> {
  const best = new Map<string, number>();
  // Others of the machine only ever add to it.
  const take = (name: string, cost: number) => best.set(name, Math.min(best.get(name) ?? cost, cost));
  for (let round = 0; round < ROUNDS; round += 1) {
    take("way", await wayThere(sources));
    for (const [name, spec] of Object.entries(policies)) {
      await enforcer.enforce({ workers: spec });
      take(name, await nanoseconds(sources));
    }
  }
  const [way = 0, dropped = 0, logged = 0] = best.values();
  const [without, withLog] = [dropped - way, logged - way];
  const more = Math.round((100 * (withLog - without)) / without);
  print(`${sources} sources: ${without} ns to judge and drop a packet, ${withLog} ns with dropLog (${more} % more)`);
}

/** As good as full: one more that finds its bucket empty would be refused. */
async function measureSets({ rules }: Enforcer, { namespace, folder }: Node): Promise<void> {
  const sets = (rules().counted ?? []).filter(({ drops }) => drops !== undefined);
  await node.exec("ipset", ["restore"], { input: sets.map(({ name }) => `flush ${name}\n`).join("") });
  const elements = sets.flatMap(({ name, family }) =>
    Array.from({ length: 1_000 }, (_, index) => {
      const address = family === 4 ? `10.9.${index >> 8}.${index & 255}` : `2001:db8:9::${index.toString(16)}`;
      return `add ${name} ${address},tcp:${PORT} packets 1 bytes 60\n`;
    }),
  );
  await node.exec("ipset", ["restore"], { input: elements.join("") });
  for (const { name, family } of sets) {
    const { stdout } = await node.exec("ipset", ["list", "-t", name]);
    const [, bytes] = /^Size in memory: (\d+)/m.exec(stdout) ?? [];
    const [, entries] = /^Number of entries: (\d+)/m.exec(stdout) ?? [];
    print(`a set of IPv${family}: ${bytes} bytes with ${entries} entries`);
  }
  const kernel = linuxKernel({ host: namespaceHost(namespace), stateDir: folder, sysctlDir: folder });
  for (const what of ["full", "empty"]) {
    const start = performance.now();
    await kernel.takeDropped(sets.map(({ name }) => name));
    print(`${sets.length} ${what} sets read in ${(performance.now() - start).toFixed(1)} ms`);
  }
}

for (const sources of SOURCES) await measurePackets(sources);
await measureSets(enforcer, node);
