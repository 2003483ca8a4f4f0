/** Probes the targets in its first argument, with the patience in its second, from the namespace that it runs in, as an agent does; prints the results in their order. */
import { probeListener } from "../../src/audit/protocols/probe.ts";
import { type ProbedListener } from "../../src/audit/protocols/probe-plan.ts";
import { probeInTurn } from "../../src/audit/protocols/probe-queue.ts";
import { defaultPatience } from "../../src/audit/protocols/step.ts";
import { openProbeConnection } from "../../src/kernel/probe-connection.ts";

const targets: ProbedListener[] = JSON.parse(process.argv[2] ?? "[]");
const { signal } = new AbortController();
const patience = { ...defaultPatience, ...JSON.parse(process.argv[3] ?? "{}") };
const settings = { open: openProbeConnection, patience, now: () => performance.now(), signal };
const results = await probeInTurn(targets, (target) => probeListener(target, settings), signal);
console.log(JSON.stringify(targets.map(({ identity }) => results.get(identity))));
