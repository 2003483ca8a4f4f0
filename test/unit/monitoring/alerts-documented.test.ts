import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { alerts, expressions } from "../../monitoring/alert-rules.ts";
import { dashboardQueries } from "../../monitoring/dashboard-queries.ts";
import { documentedMetrics } from "../../monitoring/documented-metrics.ts";
import { runbookCommands } from "../../monitoring/runbook-commands.ts";

const tree = join(import.meta.dirname, "../../..");

/** `docs/runbooks/x.md#heading` of each section of the runbooks, with its text. */
const sections = new Map<string, string>(
  readdirSync(join(tree, "docs/runbooks")).flatMap((file) =>
    readFileSync(join(tree, "docs/runbooks", file), "utf8")
      .split(/^## /m)
      .slice(1)
      .map((text) => {
        const heading = text.slice(0, text.indexOf("\n"));
        return [`docs/runbooks/${file}#${heading.toLowerCase()}`, text] as const;
      }),
  ),
);

it("every alert leads to a section of a runbook that says what it means, what to look at and what to do", () => {
  const links = [...alerts()].map(([name, { annotations }]) => [name, annotations.runbook] as const);
  expect(links.map(([, link]) => link).toSorted()).toEqual([...sections.keys()].toSorted());
  for (const [name, link] of links) {
    expect(sections.get(link), link).toMatch(new RegExp(`^${name}\n`));
    expect(sections.get(link), link).toMatch(/\*\*Means:\*\*[^]+\*\*Look at:\*\*[^]+\*\*Do:\*\*/);
  }
});

it("alerts and dashboard ask only for metrics that are documented, and so exist", () => {
  const { expressions: rules, recorded } = expressions();
  const panels = dashboardQueries({});
  const named = [...rules, ...panels].flatMap(
    (expression) => expression.match(/\b(?:\w+:)*port_hardening_\w+(?::\w+)*/g) ?? [],
  );
  const metrics = new Map([...documentedMetrics().values()].flatMap((section) => [...section]));
  const unknown = named.filter((name) => {
    const base = metrics.get(name)?.type === undefined ? name.replace(/_(?:bucket|sum|count)$/, "") : name;
    return !metrics.has(base) && !recorded.includes(name);
  });
  expect(new Set(named).size).toBeGreaterThan(30);
  expect(unknown).toEqual([]);
});

it("runbooks ask statuses only for fields that there are", () => {
  const crds = readdirSync(join(tree, "crds")).map((file) => readFileSync(join(tree, "crds", file), "utf8"));
  const fields = new Set([...crds.join("\n").matchAll(/^ +(\w+):/gm)].map(([, field = ""]) => field));
  const asked = runbookCommands({})
    .filter((command) => /^kubectl get (?:phnode|phpol) /.test(command))
    .flatMap((command) => [...command.matchAll(/\.status((?:\.\w+|\[[^\]]*\])+)/g)])
    .flatMap(([, path = ""]) => path.match(/\w+(?=[.[=]|$)/g) ?? []);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((field) => !fields.has(field) && field !== "POLICY")).toEqual([]);
});
