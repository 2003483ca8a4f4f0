import type { NetworkNamespace } from "./network-namespace.ts";

/** A process of its own: an agent that finds itself cut off takes the change back after two seconds, whatever this one has to do. */
const SCRIPT = `
tries=0
until [ -e "$1/armed/applied" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 6000 ] || exit 3
  sleep 0.02
done
kill -9 "$2" && [ -e "$1/armed" ] && [ ! -e "$1/armed/asked" ]`;

/** Kills the process as soon as what is armed in the guard's folder is applied; folder and number as the node has them. */
export async function killOnceApplied(node: NetworkNamespace, folder: string, pid: number): Promise<void> {
  const killer = await node.spawn("kill-agent", "sh", ["-c", SCRIPT, "sh", folder, `${pid}`]);
  const { code, signal } = await killer.exited;
  if (code === 0) return;
  const why = code === 3 ? "no change was applied" : "the agent was faster";
  throw new Error(`the agent was not killed in the midst of a change: ${why} (${code ?? signal}) ${killer.log()}`);
}
