import { Gauge, type Registry } from "prom-client";

export function leaderMetric(registry: Registry): Gauge {
  return new Gauge({
    name: "port_hardening_controller_leader",
    help: "1 while this process leads: it alone writes.",
    registers: [registry],
  });
}
