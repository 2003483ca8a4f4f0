import { foundFacts } from "../agent/found-facts.ts";
import { foundFile } from "../agent/found-file.ts";
import { nodeSight } from "../agent/node-sight.ts";
import { localHost } from "../kernel/local-host.ts";
import { localHostView } from "../kernel/local-host-view.ts";
import { socketReader } from "../kernel/socket-reader.ts";
import { withFound } from "../plan/found-failsafes.ts";
import type { NodeSettings } from "../plan/node-settings.ts";
import { createLogger } from "../telemetry/logger.ts";
import { resolveName } from "./resolvers.ts";

/**
 * As an agent does: the port of this host's own SSH server stays open, wherever it is. `remember`: on disk too, as facts outlast
 * restarts; a command that changes nothing does not.
 */
export async function withWhatTheHostShows(
  settings: NodeSettings,
  {
    stateDir,
    hostRoot,
    remember,
  }: { readonly stateDir: string; readonly hostRoot: string; readonly remember: boolean },
): Promise<NodeSettings> {
  const log = createLogger({ name: "porthardening", level: "warn", destination: process.stderr });
  const sight = nodeSight({
    host: localHostView({ root: hostRoot }),
    sockets: socketReader(),
    apiServer: undefined,
    resolve: resolveName,
    log,
    now: Date.now,
  });
  const kept = foundFile(stateDir, localHost());
  const file = remember ? kept : { ...kept, save: async () => undefined };
  const found = foundFacts({ sight, file, log, now: Date.now });
  await found.look();
  return { ...settings, failsafes: withFound(settings.failsafes, found.facts) };
}
