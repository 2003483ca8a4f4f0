import { Command } from "commander";
import { kubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/kube-config.ts";
import type { KubeClient } from "../kube/types.ts";
import { duration, yesOrNo } from "./option-values.ts";
import { programVersion } from "./program-version.ts";
import { followRollout } from "./rollout-follow.ts";
import { pauseRollout, retryRollout } from "./rollout-steer.ts";

interface Flags {
  readonly kubeconfig?: string;
}

interface StatusFlags extends Flags {
  readonly watch: boolean;
  /** Milliseconds; 0: for ever. */
  readonly timeout: number;
}

/** `porthardening rollout`: how far a policy has come, and its brakes. */
export function rolloutCommand(): Command {
  return new Command("rollout")
    .description("Shows how far a policy has come on the nodes, and pauses, resumes or retries it.")
    .addCommand(statusCommand())
    .addCommand(
      steering("pause", "Changes no further node until it is resumed.", async (client, name) => {
        const changed = await pauseRollout(client, name, true);
        return changed ? `${name} paused` : `${name} is paused already`;
      }),
    )
    .addCommand(
      steering("resume", "Goes on with a roll-out that was paused.", async (client, name) => {
        const changed = await pauseRollout(client, name, false);
        return changed ? `${name} resumed` : `${name} is not paused`;
      }),
    )
    .addCommand(
      steering("retry", "Has the nodes on which the policy failed try it again.", async (client, name) => {
        await retryRollout(client, name, new Date());
        return `${name}: nodes that failed try again`;
      }),
    );
}

function statusCommand(): Command {
  return new Command("status")
    .description(
      "Follows the roll-out of a policy until it is done. Exit code 0: every node that is alive enforces it; 1: it has stalled, " +
        "the time is over, or there is no such policy. With --watch=false 0 as well where it is under way.",
    )
    .argument("<policy>")
    .option("--watch <true|false>", "false: says how it stands, and ends", yesOrNo, true)
    .option("--timeout <duration>", "how long to wait, as 90s, 10m or 1h; 0: for ever", duration, 0)
    .option("--kubeconfig <file>", KUBECONFIG)
    .action((name: string, { kubeconfig, watch, timeout }: StatusFlags) =>
      withClient(kubeconfig, async (client, signal) => {
        const write = (line: string) => process.stdout.write(`${line}\n`);
        const done = await followRollout({ client, name, watch, timeoutMilliseconds: timeout, write, signal });
        if (!done) process.exitCode = 1;
      }),
    );
}

const KUBECONFIG = "absent: $KUBECONFIG, ~/.kube/config, or the pod's service account";

function steering(
  verb: string,
  description: string,
  steer: (client: KubeClient, name: string) => Promise<string>,
): Command {
  return new Command(verb)
    .description(description)
    .argument("<policy>")
    .option("--kubeconfig <file>", KUBECONFIG)
    .action((name: string, { kubeconfig }: Flags) =>
      withClient(kubeconfig, async (client) => {
        process.stdout.write(`${await steer(client, name)}\n`);
      }),
    );
}

async function withClient(
  kubeconfig: string | undefined,
  work: (client: KubeClient, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const client = kubeClient(loadKubeConfig(kubeconfig), { userAgent: `porthardening/${programVersion()}` });
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  try {
    await work(client, stop.signal);
  } finally {
    await client.close();
  }
}
