/**
 * `node bench/updates.ts [UPDATES] [SEED]`: 1,000 random updates, one after the other, by the real agent, API server and kernel of one node,
 * while first packets and packets of open flows come from six addresses. Ends with 1 where a packet was lost that the states
 * before and behind an update pass, or one let through that both drop.
 */
import { startAgentLab } from "../test/cluster/agent/agent-lab.ts";
import { seeded } from "../test/cluster/faults/random-states.ts";
import { streamOverUpdates } from "../test/cluster/faults/stream-over-updates.ts";

const updates = Number(process.argv[2] ?? 1_000);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
const sources = ["203.0.113.7", "203.0.113.8", "192.0.2.7", "192.0.2.8", "198.51.100.9", "198.51.100.10"];

await using stack = new AsyncDisposableStack();
const lab = await startAgentLab(sources.map((source) => `${source}/24`));
stack.defer(() => lab.close());
await lab.startAgent(["--prime-seconds", "2"]);
const begun = performance.now();
const { passing, dropped, either, flows } = await streamOverUpdates(lab, sources, { updates, random: seeded(seed) });

console.log(`${updates} updates in ${Math.round((performance.now() - begun) / 1_000)} s, seed ${seed}`);
console.log(`first packets that the states before and behind pass: ${passing.sent}, lost ${passing.lost.length}`);
console.log(`first packets that both drop: ${dropped.sent}, let through ${dropped.through.length}`);
console.log(`first packets about which the two differ: ${either}`);
console.log(`packets of flows that were open before: ${flows.sent}, lost ${flows.sent - flows.echoed}`);
if (passing.lost.length + dropped.through.length + flows.sent - flows.echoed > 0) process.exitCode = 1;
