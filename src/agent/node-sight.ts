import type { HostView } from "../audit/host-view.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { FoundFact } from "../plan/found-failsafes.ts";
import type { Logger } from "../telemetry/logger.ts";
import { observeApiServers, observeResolvers, type Resolve } from "./node-destinations.ts";
import { sshListeners } from "./ssh-listeners.ts";
import { within } from "./within.ts";

/** What the node shows of itself. A kind that is not in the map could not be looked at. */
export type Sight = ReadonlyMap<FoundFact["kind"], readonly FoundFact[]>;

export interface NodeSight {
  /** Never throws, and takes two seconds at most. */
  look(): Promise<Sight>;
}

export interface NodeSightOptions {
  readonly host: HostView;
  readonly sockets: SocketReader;
  /** URL by which this agent reaches the API server. */
  readonly apiServer: string | undefined;
  readonly resolve: Resolve;
  readonly log: Logger;
  readonly now: () => number;
}

/** Rules wait for a look, and a name that is not to be resolved must not hold them up. */
const LOOK_MILLISECONDS = 2_000;

/** Names of API servers are asked for so often; what they meant before counts for longer. */
const RESOLVED_MILLISECONDS = 300_000;

export function nodeSight({ host, sockets, apiServer, resolve: ask, log, now }: NodeSightOptions): NodeSight {
  const resolved = new Map<string, { readonly addresses: readonly string[]; readonly until: number }>();
  const resolve: Resolve = async (name) => {
    const known = resolved.get(name);
    if (known !== undefined && now() < known.until) return known.addresses;
    const addresses = await ask(name);
    resolved.set(name, { addresses, until: now() + RESOLVED_MILLISECONDS });
    return addresses;
  };
  const listeners = sshListeners(host, sockets);
  const ways = {
    SshListener: listeners.observe,
    ApiServer: () => observeApiServers(host, apiServer, resolve),
    Resolver: () => observeResolvers(host),
  } as const;
  /** A look that takes longer goes on, and is what the next one waits for. */
  const underWay = new Map<FoundFact["kind"], Promise<readonly FoundFact[]>>();
  const failed = new Map<FoundFact["kind"], string>();

  async function observe(kind: FoundFact["kind"]): Promise<readonly FoundFact[] | undefined> {
    const look = underWay.get(kind) ?? ways[kind]().finally(() => underWay.delete(kind));
    underWay.set(kind, look);
    try {
      const facts = await within(LOOK_MILLISECONDS, look);
      failed.delete(kind);
      return facts;
    } catch (err) {
      const why = err instanceof Error ? err.message : String(err);
      // What was found before stays; once is enough to say why.
      if (failed.get(kind) !== why) log.warn({ err, what: kind }, "what the node shows could not be looked at");
      failed.set(kind, why);
      return undefined;
    }
  }

  return {
    async look() {
      const kinds = ["SshListener", "ApiServer", "Resolver"] as const;
      const seen = await Promise.all(kinds.map(async (kind) => [kind, await observe(kind)] as const));
      return new Map(seen.flatMap(([kind, facts]) => (facts === undefined ? [] : [[kind, facts]])));
    },
  };
}
