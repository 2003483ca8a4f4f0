/** What panels of the dashboard are made of. `$policy` and `$node` are its variables, `$__rate_interval` is Grafana's. */

export type Unit = "short" | "pps" | "percentunit" | "s" | "bytes";

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly kind: "timeseries" | "stat" | "table";
  readonly unit: Unit;
  /** Queries and how each series is named. Of a table: the latest values. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  /** Of 24 columns; default 8. */
  readonly width?: 4 | 6 | 8 | 12 | 24;
  readonly stacked?: true;
  /** From here on it is orange, and red. */
  readonly thresholds?: readonly [warning: number, critical: number];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const node = 'node=~"$node"';
export const policy = 'policy=~"$policy"';
export const both = `${node}, ${policy}`;
export const interval = "$__rate_interval";
/** Restricts what every process says of itself to agents. */
export const ofAgents = `* on (job, instance) group_left () (port_hardening_build_info{component="agent", ${node}})`;
