/**
 * `node bench/guard.ts [RUNS]`: how long a policy cuts a node off from its API server that an agent takes back, that the guard takes
 * back, and what the guard takes. One node with the real agent, API server and kernel. Ends with 1 where one of them took longer than it may.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentLab, startAgentLab } from "../test/cluster/agent/agent-lab.ts";
import { assigned } from "../test/unit/plan/policies.ts";
import { summarise } from "./statistics.ts";

const runs = Number(process.argv[2] ?? 5);
const TIMEOUT_SECONDS = 5;
/** Cut off at most so long with the agent alive, and so long behind the deadline without it. */
const MAX_MILLISECONDS = { cut: 5_000, behind: 2_000 };
const workers = assigned({ firewall: { inbound: {} } }, "workers");
const fatal = (run: number) => [
  workers,
  {
    ...assigned(
      {
        firewall: { outbound: { protocols: ["TCP"], trustCluster: false } },
        rollout: { confirmTimeoutSeconds: TIMEOUT_SECONDS },
      },
      "fatal",
    ),
    retryAt: `${run}`,
  },
];
const uptime = () => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);

await using stack = new AsyncDisposableStack();
const lab = await startAgentLab(["203.0.113.7/24"], "Service");
stack.defer(() => lab.close());
const folder = (...names: string[]) => join(lab.node.stateDirectory, "guard", ...names);
const rolledBack = async () => {
  while (!existsSync(folder("rolled-back"))) await sleep(5);
};

let agent = await lab.startAgent();
await lab.assign([workers]);
await agent.waitForLog(/policies enforced/, 30_000);

const cut: number[] = [];
for (let run = 0; run < runs; run += 1) {
  const watched = longestGap(lab);
  await lab.assign(fatal(run));
  await agent.waitForLog(new RegExp(`(?:rolling back[^]*){${run + 1}}`), 60_000);
  cut.push(await watched.untilBack());
}

const behind: number[] = [];
for (let run = 0; run < runs; run += 1) {
  await lab.assign(fatal(runs + run));
  while (!existsSync(folder("armed", "applied"))) await sleep(1);
  await agent.kill();
  const deadline = Number(readFileSync(folder("armed", "deadline"), "utf8"));
  await rolledBack();
  behind.push(1_000 * (uptime() - deadline));
  agent = await lab.startAgent();
  await agent.waitForLog(/policies enforced/, 30_000);
}
const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${lab.node.guard.current?.pid}/status`, "utf8"))?.[1];

console.log(`cut off, agent alive, ms: ${JSON.stringify(summarise(cut))}`);
console.log(`agent killed: rolled back behind the deadline, ms: ${JSON.stringify(summarise(behind))}`);
console.log(`resident memory of the guard, KiB: ${resident}`);
if (Math.max(...cut) > MAX_MILLISECONDS.cut || Math.max(...behind) > MAX_MILLISECONDS.behind) process.exitCode = 1;

/**
 * The longest time in which no new connection from the node to its API server came to stand; `untilBack` waits until one does
 * that was begun after it was called.
 */
function longestGap({ node, controlPlane }: AgentLab): { untilBack(): Promise<number> } {
  const { hostname, port } = new URL(controlPlane.server);
  let stopped = false;
  let longest = 0;
  const watching = (async () => {
    const traffic = await node.traffic();
    let last = performance.now();
    for (;;) {
      const isLast = stopped;
      const { outcome } = await traffic.connect({ to: hostname, port: Number(port) }, { timeoutMilliseconds: 200 });
      if (outcome !== "connected") continue;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (isLast) return;
      await sleep(10);
    }
  })();
  return {
    async untilBack() {
      stopped = true;
      await watching;
      return longest;
    },
  };
}
