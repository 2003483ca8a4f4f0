import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import type { NetworkNamespace } from "../../lab/network-namespace.ts";

/** Each of the 5,000 connections has both ends here. */
const LISTENERS = 500;
const SOCKETS = 10_000;

let lab: Lab;
let node: NetworkNamespace;
let holder: LabProcess;
let passes: Record<
  "watch" | "firstSight" | "listening" | "listeningFromProc" | "connections" | "connectionsFromProc",
  Pass
>;

interface Pass {
  /** Of CPU, of the processes that it started too. */
  readonly milliseconds: number;
  readonly seen: number;
  readonly digest: string;
  readonly first: unknown;
}

beforeAll(async () => {
  lab = await createLab();
  node = await lab.addNamespace("node");
  const script = join(import.meta.dirname, "hold-connections.ts");
  holder = await node.spawn("holder", process.execPath, [script, `${LISTENERS}`, `${SOCKETS / 2}`], { stdio: "pipe" });
  for await (const _ of holder.child.stdout ?? []) break;
  const measure = join(import.meta.dirname, "measure-passes.ts");
  passes = JSON.parse((await node.exec(process.execPath, [measure], { timeoutMilliseconds: 60_000 })).stdout);
}, 90_000);
afterAll(() => lab.close());

it("sees every listener and every connection", () => {
  expect(passes.listening.seen).toBe(LISTENERS);
  expect(passes.connections.seen).toBe(SOCKETS);
});

it("reads the same from /proc where there is no ss", () => {
  expect(passes.listeningFromProc.digest).toBe(passes.listening.digest);
  expect(passes.connectionsFromProc.digest).toBe(passes.connections.digest);
});

it("names the process that holds a socket", () => {
  expect(passes.watch.first).toMatchObject({ process: { executable: process.execPath, uid: 0 } });
  const { process: found } = passes.watch.first as { process: { pid: number } };
  expect(found.pid).toBe(holder.pid);
});

it("watches listeners among 10,000 connections in less than 20 ms of CPU a pass", () => {
  expect(passes.watch.milliseconds).toBeLessThan(20);
});
