import { startHealthServer } from "../telemetry/health-server.ts";
import { type ControllerOptions, createController } from "./controller.ts";
import type { ControllerSettings } from "./settings.ts";
import { DEFAULT_CONTROLLER_SETTINGS } from "./settings.ts";

export interface RunControllerOptions extends Omit<ControllerOptions, "settings" | "now"> {
  readonly signal: AbortSignal;
  readonly settings?: Partial<ControllerSettings>;
  readonly now?: () => number;
  /** Where `/healthz`, `/readyz` and `/metrics` are served; absent: nowhere. */
  readonly health?: { readonly host: string; readonly port: number };
}

/** Runs the controller until `signal` aborts. Rejects where the health port is taken. */
export async function runController({
  signal,
  settings,
  now = Date.now,
  health,
  ...rest
}: RunControllerOptions): Promise<void> {
  const { logger, registry } = rest;
  const controller = createController({ ...rest, now, settings: { ...DEFAULT_CONTROLLER_SETTINGS, ...settings } });
  const server = health && (await startHealthServer({ ...health, ready: controller.unready, registry }));
  logger.info({ namespace: rest.namespace, healthPort: server?.port }, "controller started");
  try {
    await controller.run(signal);
  } finally {
    await server?.close();
  }
}
