import type { Gauge } from "prom-client";
import { fencedClient } from "../kube/fenced-client.ts";
import { election, type Term } from "../kube/leader-election.ts";
import { startHealthServer } from "../telemetry/health-server.ts";
import { type Controller, type ControllerOptions, createController } from "./controller.ts";
import { LEADER_LEASE } from "./leader.ts";
import { leaderMetric } from "./leader-metric.ts";
import type { ControllerSettings } from "./settings.ts";
import { DEFAULT_CONTROLLER_SETTINGS } from "./settings.ts";

export interface RunControllerOptions extends Omit<ControllerOptions, "settings" | "now"> {
  readonly signal: AbortSignal;
  readonly settings?: Partial<ControllerSettings>;
  readonly now?: () => number;
  /** Where `/healthz`, `/readyz` and `/metrics` are served; absent: nowhere. */
  readonly health?: { readonly host: string; readonly port: number };
  /** Absent: this is the only one, and it begins at once. */
  readonly leaderElection?: { readonly identity: string; readonly durationSeconds: number };
}

/** Another one may lead by now; this process has to end, and comes back as a candidate. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

/**
 * Runs the controller until `signal` aborts; before that, where leaders are elected, waits to be one. A candidate holds no
 * caches and counts as ready. Rejects where the health port is taken, and with LeadershipLostError.
 */
export async function runController(options: RunControllerOptions): Promise<void> {
  const { signal, settings, now = Date.now, health, leaderElection, ...rest } = options;
  const { logger, registry, namespace } = rest;
  let controller: Controller | undefined;
  const ready = () => controller?.unready() ?? (leaderElection === undefined ? ["not started yet"] : []);
  const server = health && (await startHealthServer({ ...health, ready, registry }));
  const leads = leaderMetric(registry);
  const work = (client: ControllerOptions["client"], until: AbortSignal) => {
    controller = createController({
      ...rest,
      client,
      now,
      settings: { ...DEFAULT_CONTROLLER_SETTINGS, ...settings },
    });
    leads.set(1);
    logger.info({ namespace, healthPort: server?.port }, "controller started");
    return controller.run(until);
  };
  try {
    if (leaderElection === undefined) return await work(rest.client, signal);
    logger.info({ ...leaderElection, healthPort: server?.port }, "waiting to lead");
    const term = await election(
      {
        ...leaderElection,
        client: rest.client,
        namespace,
        name: LEADER_LEASE,
        onError: (err) => logger.warn({ err }, "lease of the leader not written"),
      },
      signal,
    );
    if (term !== undefined) await lead(term, { work, client: rest.client, signal, leads });
  } finally {
    await server?.close();
  }
}

interface Leading {
  readonly work: (client: ControllerOptions["client"], until: AbortSignal) => Promise<void>;
  readonly client: ControllerOptions["client"];
  readonly signal: AbortSignal;
  readonly leads: Gauge;
}

/** The lease is kept until the last pass has ended: only then may another one begin. */
async function lead(term: Term, { work, client, signal, leads }: Leading): Promise<void> {
  const ended = new AbortController();
  const kept = term.keep(ended.signal);
  try {
    await work(fencedClient(client, term.holds), AbortSignal.any([signal, term.lost]));
  } finally {
    ended.abort();
    await kept;
    leads.set(0);
  }
  if (term.lost.aborted) throw new LeadershipLostError("the lease was lost: another controller may lead by now");
}
