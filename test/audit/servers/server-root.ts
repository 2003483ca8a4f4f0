import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LabProcess } from "../../lab/lab-process.ts";
import type { NetworkNamespace } from "../../lab/network-namespace.ts";
import { waitFor } from "../../lab/wait-for.ts";

const script = join(import.meta.dirname, "server-root.sh");
/** Made by `sh scripts/setup.sh audit`. */
const servers = join(import.meta.dirname, "../../../.cache/servers");

/** A real server, and the ports on which it is to answer. */
export interface ServerProgram {
  readonly name: string;
  /** Whom it runs as; most drop root by themselves. */
  readonly user?: string;
  readonly command: readonly [string, ...string[]];
  readonly ports: readonly number[];
}

/** Starts a server in the namespace, in a root of its own (server-root.sh), and waits until it listens. */
export async function startServer(host: NetworkNamespace, program: ServerProgram): Promise<LabProcess> {
  const { name, user = "root", command, ports } = program;
  const process = await host.spawn(name, "unshare", [...inRoot(host, name, user), ...command]);
  await waitFor(
    `${name} on port ${ports.join(", ")}`,
    async () => {
      const { stdout } = await host.exec("ss", ["-Hltn"]);
      return ports.every((port) => new RegExp(`:${port} `).test(stdout)) || undefined;
    },
    {
      timeoutMilliseconds: 30_000,
      intervalMilliseconds: 100,
      lastSeen: () => process.log(),
      giveUp: () => (process.running ? undefined : new Error(`${name} ended: ${process.log()}`)),
    },
  );
  return process;
}

function inRoot(host: NetworkNamespace, name: string, user: string): string[] {
  if (!existsSync(join(servers, "usr"))) throw new Error("no servers to probe: run sh scripts/setup.sh audit");
  return ["--mount", "sh", script, servers, join(host.folder, name), user];
}
