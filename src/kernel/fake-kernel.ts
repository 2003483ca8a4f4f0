import type { Kernel } from "./kernel.ts";
import { linuxKernel } from "./linux-kernel.ts";
import { type MemoryHost, memoryHost } from "./memory-host.ts";

export interface FakeKernel extends Kernel {
  /** The node in memory: look at it, tamper with it, make it fail. */
  readonly host: MemoryHost;
}

/**
 * For tests of what uses a Kernel: the real one on a node in memory, so it has the same states, order and errors. A
 * second one on the same `host` is what a restart of the agent sees.
 */
export function fakeKernel({
  host = memoryHost(),
  now,
}: {
  readonly host?: MemoryHost;
  readonly now?: () => number;
} = {}): FakeKernel {
  return { ...linuxKernel({ host, stateDir: "/state", sysctlDir: "/sysctl.d", ...(now && { now }) }), host };
}
