import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { alerts, alertsFile } from "./alert-rules.ts";
import type { AlertCase, FiringCase } from "./cases/case.ts";
import { monitoringProgram } from "./programs.ts";

export interface Trial {
  readonly alert: string;
  readonly trial: AlertCase | FiringCase;
}

/** What promtool says of each, by its place: `SUCCESS`, or what was to be and what was. One process for all: it takes long to start. */
export async function tryRules(trials: readonly Trial[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "port-hardening-alerts-"));
  try {
    const files = trials.map((_, index) => join(folder, `${index}.yaml`));
    await Promise.all(trials.map((trial, index) => writeFile(files[index] ?? "", stringify(ruleTest(trial)))));
    const { all } = await execa(monitoringProgram("promtool"), ["test", "rules", ...files], {
      all: true,
      reject: false,
      timeout: 60_000,
    });
    const said = new Map(
      all.split(/^Unit Testing: +/m).map((part) => {
        const end = part.indexOf("\n");
        return [part.slice(0, end), part.slice(end).trim()] as const;
      }),
    );
    return files.map((file) => said.get(file) ?? `promtool said nothing of it: ${all}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ruleTest({ alert, trial }: Trial): object {
  const rule = alerts().get(alert);
  const { labels, annotations } = rule ?? { labels: {}, annotations: {} };
  const firing = "labels" in trial && {
    exp_labels: { ...trial.labels, ...labels },
    exp_annotations: { ...annotations, summary: trial.summary },
  };
  return {
    rule_files: [alertsFile],
    // Days, minute by minute, would take seconds a case.
    evaluation_interval: /^\d\dh$/.test(trial.at) ? "1h" : "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(trial.series).map(([series, values]) => ({ series, values })),
        alert_rule_test: [{ eval_time: trial.at, alertname: alert, exp_alerts: firing ? [firing] : [] }],
      },
    ],
  };
}
