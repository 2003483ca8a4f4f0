import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Host } from "../../../src/kernel/host.ts";
import type { DriftEvent } from "../../../src/kernel/kernel.ts";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import { type Namespace, openNamespace } from "./namespace-host.ts";
import { sample } from "./samples.ts";

let namespace: Namespace;
let monitors: number[];
let ended: AbortController;
beforeEach(() => {
  namespace = openNamespace();
  monitors = [];
  ended = new AbortController();
});
afterEach(() => {
  ended.abort();
  namespace.close();
});

function watch() {
  const { host, folder } = namespace;
  const observed: Host = {
    ...host,
    spawnLines(command, args, signal) {
      const stream = host.spawnLines(command, args, signal);
      monitors.push(stream.pid ?? 0);
      return stream;
    },
  };
  const kernel = linuxKernel({ host: observed, stateDir: folder, sysctlDir: join(folder, "sysctl.d") });
  const events: DriftEvent[] = [];
  const done = kernel.watch(ended.signal, (event) => events.push(event));
  return { kernel, events, done };
}

it("starts its monitor again when that dies, and then asks for a look", async () => {
  const { events } = watch();
  await expect.poll(() => events.length, { timeout: 30_000 }).toBe(1);
  process.kill(monitors[0] ?? Number.NaN, "SIGKILL");
  await expect.poll(() => events.length, { timeout: 30_000 }).toBe(2);
  expect(events).toMatchObject([{ by: undefined }, { by: undefined }]);
  namespace.exec("iptables-nft", "-t", "mangle", "-N", "PH-X");
  await expect.poll(() => events.at(-1)?.by, { timeout: 30_000 }).toMatch(/^process \d+ \(iptables-nft\)$/);
});

it("tells of a chain deleted, a table flushed by nft, and a foreign chain of mangle; not of what is no concern of ours", async () => {
  const { kernel, events } = watch();
  await kernel.apply(sample);
  await expect.poll(() => events.length, { timeout: 30_000 }).toBe(1);
  for (const [command, ...args] of [
    ["iptables-nft", "-t", "mangle", "-F", "PH-IN"],
    ["nft", "delete table ip6 mangle"],
    ["iptables-nft", "-t", "mangle", "-N", "KUBE-KUBELET-CANARY"],
    ["iptables-nft", "-t", "filter", "-I", "OUTPUT", "-j", "ACCEPT"],
    ["iptables-nft", "-t", "filter", "-F", "PH-OUT"],
  ] as const) {
    const before = events.length;
    namespace.exec(command, ...args);
    await expect
      .poll(() => events.slice(before).map(({ by }) => by), { timeout: 30_000 })
      .toEqual([expect.stringContaining(`(${command})`)]);
  }
  const before = events.length;
  namespace.exec("iptables-nft", "-t", "filter", "-A", "INPUT", "-j", "ACCEPT");
  namespace.exec("iptables-nft", "-t", "filter", "-N", "KUBE-SERVICES");
  namespace.exec("iptables-nft", "-t", "nat", "-A", "OUTPUT", "-j", "ACCEPT");
  namespace.exec("iptables-nft", "-t", "mangle", "-N", "LAST");
  await expect.poll(() => events.length, { timeout: 30_000 }).toBeGreaterThan(before);
  expect(events.length).toBe(before + 1);
});

it("ends when its signal aborts, and its monitor with it", async () => {
  const { events, done } = watch();
  await expect.poll(() => events.length, { timeout: 30_000 }).toBe(1);
  ended.abort();
  await done;
  expect(() => process.kill(monitors[0] ?? Number.NaN, 0)).toThrow("ESRCH");
});
