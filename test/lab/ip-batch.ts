import { execa } from "execa";

/** Runs many `ip` commands in a network namespace as one process. Throws with the line that failed. */
export async function ipBatch(namespace: string, commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  await execa("ip", ["-n", namespace, "-batch", "-"], { input: `${commands.join("\n")}\n` });
}
