/** Median and worst of some samples, in the samples' unit. */
export interface Summary {
  readonly median: number;
  readonly worst: number;
  readonly samples: number;
}

export function summarise(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const worst = sorted.at(-1);
  if (middle === undefined || worst === undefined) throw new Error("no samples: nothing was measured");
  return { median: middle, worst, samples: sorted.length };
}

/** One line of the table: a figure, its aim, and what it is compared with in the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "MiB" | "% of a core";
  readonly measured: Summary;
  readonly aim?: number;
  /** The least that the same job costs without us, measured in this run. */
  readonly floor?: { readonly name: string; readonly measured: Summary };
}

/** A table for people: medians, worst, aim, ratio to the floor. */
export function printFigures(figures: readonly Figure[]): string {
  const number = (value: number): string => value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0);
  const rows = figures.map(({ name, unit, measured, aim, floor }) => [
    name,
    `${number(measured.median)} ${unit}`,
    `${number(measured.worst)} ${unit}`,
    aim === undefined ? "" : `${aim} ${unit} ${measured.median <= aim ? "met" : "MISSED"}`,
    floor === undefined ? "" : `${number(floor.measured.median)} ${unit}`,
    floor === undefined ? "" : `${(measured.median / floor.measured.median).toFixed(1)}x ${floor.name}`,
    `${measured.samples}`,
  ]);
  const table = [["figure", "median", "worst", "aim (median)", "floor", "ratio", "n"], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
