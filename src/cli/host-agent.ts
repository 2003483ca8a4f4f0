import { hostname } from "node:os";
import { writeDurably } from "../agent/checked-file.ts";
import { hostAgent } from "../agent/host-agent.ts";
import { statePaths } from "../agent/state-directory.ts";
import { type AgentFlags, nodeParts, serve } from "./agent-parts.ts";
import { guardOf } from "./apply.ts";
import { readPoliciesFolder } from "./policies-folder.ts";

/** `porthardening agent --policies`: enforces what the files of a folder say, on a host without a cluster. */
export async function runHostAgent(flags: AgentFlags & { readonly policies: string }): Promise<void> {
  const { policies: folder, nodeName = hostname(), nodeLabels: labels, stateDir } = flags;
  const parts = await nodeParts(flags);
  const { install } = parts;
  const running = hostAgent({
    ...parts,
    nodeName,
    // It starts one where none runs.
    guard: guardOf(stateDir),
    probes: parts.probesWith(undefined),
    readPolicies: () => readPoliciesFolder({ folder, node: nodeName, labels, install }),
    writeStatus: (status) => writeDurably(statePaths(stateDir).status, `${JSON.stringify(status, undefined, 2)}\n`),
  });
  await serve(running, { ...flags, nodeName }, parts);
}
