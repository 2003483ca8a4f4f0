/** `npm run bench`: the figures, measured on three nodes with the bundled program; a table, and JSON with --json FILE. */
import { writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { sourcePrefixes } from "../demo/policy.ts";
import { createLab, type Lab } from "../test/lab/lab.ts";
import type { LabProcess } from "../test/lab/lab-process.ts";
import { agentsReady, type OperatorCluster, startOperatorCluster } from "../test/lab/operator-cluster.ts";
import { measureAudits } from "./audits.ts";
import { timeApplies, timeBareNode, timeRepairs, timeToolsAlone } from "./measure.ts";
import { measurePreview } from "./preview.ts";
import { residentMebibytes } from "./processes.ts";
import { timeToReady } from "./readiness.ts";
import { type Figure, printFigures, summarise } from "./statistics.ts";

const project = resolve(import.meta.dirname, "..");
const RUNS = 20;
const AUDIT_RUNS = 5;
const IDLE_MILLISECONDS = 10_000;
const HEALTH_PORT = 9471;

const progress = (text: string): void => void process.stderr.write(`  ${text}\n`);

async function measure(): Promise<Figure[]> {
  progress("bundling the program as the image has it");
  await execa(process.execPath, [join(project, "scripts/bundle.ts")]);
  const program = [join(project, "dist/porthardening")] as const;
  await using lab = await createLab();
  const cluster = await startOperatorCluster(lab, {
    workers: 3,
    sources: sourcePrefixes,
    program,
    onProgress: progress,
  });
  const [first] = cluster.workers;
  if (first === undefined) throw new Error("no worker");

  const bare = await timeBareNode(first, RUNS);
  progress(`a controller is started ${RUNS} times`);
  // Right after the CRDs were made, the API server answers "storage is (re)initializing" for a second: not a sample.
  await timeController(lab, cluster).then(({ process: first }) => first.stop());
  const controllerStarts: number[] = [];
  let controller = await timeController(lab, cluster);
  while (controllerStarts.push(controller.milliseconds) < RUNS) {
    await controller.process.stop();
    controller = await timeController(lab, cluster);
  }
  progress("agents start");
  const agents = new Map<string, LabProcess>();
  for (const worker of cluster.workers) agents.set(worker.name, await worker.startAgent());
  await agentsReady(cluster);

  progress(`a policy is applied ${RUNS} times to all nodes at once (about ${2.5 * RUNS} s)`);
  const applies = await timeApplies(cluster, RUNS, "Immediate");
  progress(`and ${RUNS} times to one node after the other (about ${4 * RUNS} s)`);
  const rollouts = await timeApplies(cluster, RUNS, "Progressive");
  progress(`idle for ${IDLE_MILLISECONDS / 1000} s, then memory`);
  await sleep(IDLE_MILLISECONDS);
  const agentMemory = [...agents.values()].map(residentMebibytes);
  const controllerMemory = [residentMebibytes(controller.process)];
  const bareMemory = [residentMebibytes(bare.process)];

  progress(`rules are deleted ${RUNS} times`);
  const repairs = await timeRepairs(cluster.workers, agents, RUNS);
  await Promise.all([...agents.values()].map((agent) => agent.stop()));
  progress("the same writes by the tools alone");
  const tools = summarise(await timeToolsAlone(cluster.workers, RUNS));
  progress(`an agent is started ${RUNS} times`);
  const starts: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const started = await timeToReady(first, HEALTH_PORT, () => first.startAgent(["--health-port", `${HEALTH_PORT}`]));
    starts.push(started.milliseconds);
    await started.process.stop();
  }

  progress("an agent watches many sockets and audits (about 3 min)");
  const audits = await measureAudits(cluster, first, AUDIT_RUNS);

  progress(`a change is previewed for a fleet ${RUNS} times`);
  const previews = measurePreview(RUNS);

  const bareStart = { name: "bare node", measured: summarise(bare.starts) };
  const bareRss = { name: "bare node", measured: summarise(bareMemory) };
  const toolsAlone = { name: "tools alone", measured: tools };
  return [
    {
      name: "policy applied -> in 3 kernels and Ready",
      unit: "ms",
      measured: summarise(applies),
      aim: 300,
      floor: toolsAlone,
    },
    { name: "the same, rolled out node by node", unit: "ms", measured: summarise(rollouts), floor: toolsAlone },
    { name: "rules deleted -> back", unit: "ms", measured: summarise(repairs), aim: 100 },
    { name: "agent: spawn -> ready", unit: "ms", measured: summarise(starts), floor: bareStart },
    { name: "agent: resident memory, idle", unit: "MiB", measured: summarise(agentMemory), aim: 80, floor: bareRss },
    {
      name: "controller: spawn -> ready",
      unit: "ms",
      measured: summarise(controllerStarts),
      floor: bareStart,
    },
    { name: "controller: resident memory, idle", unit: "MiB", measured: summarise(controllerMemory), floor: bareRss },
    previews,
    ...audits,
  ];
}

function timeController(lab: Lab, cluster: OperatorCluster): ReturnType<typeof timeToReady> {
  return timeToReady(lab.root, HEALTH_PORT, () => cluster.startController(["--health-port", `${HEALTH_PORT}`]));
}

const [flag, file, ...rest] = process.argv.slice(2);
if (flag !== undefined && (flag !== "--json" || file === undefined || rest.length > 0)) {
  process.stderr.write("bench: the only argument is --json FILE\n");
  process.exitCode = 2;
} else {
  const figures = await measure();
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    node: process.version,
  };
  process.stdout.write(
    `\n${machine.cores} cores (${machine.cpu}), Linux ${machine.kernel}, Node ${machine.node}\n\n${printFigures(figures)}`,
  );
  if (file !== undefined)
    await writeFile(file, `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, figures }, null, 2)}\n`);
}
