import { ToolMissingError } from "./errors.ts";
import type { Host } from "./host.ts";
import { sysctlPath } from "./local-host.ts";

/** Reads a sysctl in the network namespace of a process; undefined where the process has ended. Throws ToolMissingError. */
export type SysctlInNetwork = (pid: number, key: string) => Promise<string | undefined>;

const TIMEOUT_MILLISECONDS = 5_000;

/**
 * /proc/sys/net shows each process its own network namespace alone, so that of another has to be entered; Node cannot, nsenter(1)
 * can. `root` is where the host's root is seen from here, `/` or a folder: process ids are those of its /proc.
 */
export function sysctlInNetwork(host: Pick<Host, "run">, root = "/"): SysctlInNetwork {
  const proc = `${root === "/" ? "" : root}/proc`;
  return async (pid, key) => {
    try {
      const args = [`--net=${proc}/${pid}/ns/net`, "cat", sysctlPath(key)];
      const { stdout } = await host.run("nsenter", args, { timeoutMilliseconds: TIMEOUT_MILLISECONDS });
      return stdout.trim();
    } catch (error) {
      if (error instanceof ToolMissingError) throw error;
      // Processes end all the time.
      return undefined;
    }
  };
}
