import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { controlPlanePrograms } from "../lab/control-plane-programs.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait-for.ts";
import { alertsFile, expressions } from "./alert-rules.ts";
import { dashboardQueries, variableQueries } from "./dashboard-queries.ts";
import { documentedMetrics } from "./documented-metrics.ts";
import { documentedScrape } from "./documented-scrape.ts";
import { type Prometheus, startPrometheus } from "./prometheus.ts";
import { runbookCommands } from "./runbook-commands.ts";
import { startWatchedCluster } from "./watched-cluster.ts";

/** What Prometheus adds to each series. */
const TARGET_LABELS = new Set(["__name__", "instance", "job", "node", "le"]);

let lab: Lab;
let cluster: Awaited<ReturnType<typeof startWatchedCluster>>;
let prometheus: Prometheus;

beforeAll(async () => {
  lab = await createLab();
  cluster = await startWatchedCluster(lab);
  prometheus = await startPrometheus(lab, {
    scrape_configs: documentedScrape(cluster.pods),
    rule_files: [alertsFile],
  });
  let seen: unknown;
  await waitFor(
    "Prometheus to have found and scraped the controller and both agents",
    async () => {
      const targets = await prometheus.targets();
      seen = targets;
      return targets.filter(({ health }) => health === "up").length === 3 || undefined;
    },
    { timeoutMilliseconds: 30_000, intervalMilliseconds: 200, lastSeen: () => JSON.stringify(seen) },
  );
});
afterAll(() => lab?.close());

/** Those of `expressions` that have no series in the end: rates need two scrapes, and drops are counted on the way. */
async function emptyOf(expressions: Iterable<string>): Promise<readonly string[]> {
  let empty = [...expressions];
  const look = async () => {
    const found = await Promise.all(empty.map((expression) => prometheus.query(expression)));
    empty = empty.filter((_, index) => found[index]?.length === 0);
    return empty.length === 0 || undefined;
  };
  // Which are empty is the result; what Prometheus refuses is thrown by the last look.
  await waitFor("series", look, { timeoutMilliseconds: 20_000, intervalMilliseconds: 500 }).catch(look);
  return empty;
}

describe("a Prometheus that is set up as the documentation says", () => {
  it("knows the controller, and each agent by its node", async () => {
    const up = await prometheus.query("up");
    expect(up.map(({ metric, value: [, value] }) => [metric["job"], metric["node"], value]).toSorted()).toEqual([
      ["port-hardening-agent", "node1", "1"],
      ["port-hardening-agent", "node2", "1"],
      ["port-hardening-controller", undefined, "1"],
    ]);
  });

  it.each([
    ["Agent", "port-hardening-agent"],
    ["Controller", "port-hardening-controller"],
  ])("finds of the %s what is documented, with its labels, and nothing else", async (component, job) => {
    const documented = documentedMetrics();
    const metrics = new Map([...(documented.get(component) ?? []), ...(documented.get("Both") ?? [])]);
    const names = [...metrics.keys()];
    await emptyOf(names.map((name) => `{__name__=~"${name}(_count)?", job="${job}"}`));
    const found = new Map<string, Set<string>>();
    for (const series of await prometheus.series(`{__name__=~"port_hardening_.+", job="${job}"}`)) {
      const name = String(series["__name__"]);
      const base = metrics.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, "");
      const labels = found.get(base) ?? new Set();
      for (const label of Object.keys(series)) if (!TARGET_LABELS.has(label)) labels.add(label);
      found.set(base, labels);
    }
    expect([...found.keys()].toSorted()).toEqual(names.toSorted());
    const types = await prometheus.metadata();
    for (const [name, labels] of found) {
      expect([...labels].toSorted(), name).toEqual(metrics.get(name)?.labels.toSorted());
      expect(types[name]?.[0]?.type, name).toBe(metrics.get(name)?.type);
    }
  });

  it("loads the alert rules and evaluates each", async () => {
    await waitFor(
      "all rules to have been evaluated",
      async () => (await prometheus.rules()).every(({ health }) => health !== "unknown") || undefined,
      { timeoutMilliseconds: 20_000, intervalMilliseconds: 200 },
    );
    const unwell = (await prometheus.rules()).filter(({ health }) => health !== "ok");
    expect(unwell).toEqual([]);
  });

  it("has every metric that an alert asks for", async () => {
    const { expressions: asked, recorded } = expressions();
    const names = new Set(
      asked.flatMap((expression) => expression.match(/\b(?:\w+:)*port_hardening_\w+(?::\w+)*/g) ?? []),
    );
    expect(names.size).toBeGreaterThan(10);
    expect(await emptyOf([...names, ...recorded])).toEqual([]);
  });
});

describe("the dashboard", () => {
  it("has values for its variables", async () => {
    const values: Record<string, Set<string | undefined>> = {};
    for (const { name, selector, label } of variableQueries()) {
      values[name] = new Set((await prometheus.series(selector)).map((series) => series[label]));
    }
    expect(values).toEqual({ policy: new Set(["edge", "tried"]), node: new Set(["node1", "node2"]) });
  });

  it.each([
    ["all policies and nodes", ".*", ".*"],
    ["one of each", "edge|tried", "node1"],
  ])("shows something in every panel, for %s", async (_, policy, node) => {
    const queries = dashboardQueries({ policy, node, __rate_interval: "10s" });
    expect(queries.length).toBeGreaterThan(30);
    expect(await emptyOf(queries)).toEqual([]);
  });

  it("shows nothing of a node that is not chosen", async () => {
    for (const expression of dashboardQueries({ policy: "none", node: "none", __rate_interval: "10s" })) {
      if (/policy=~|node=~/.test(expression)) {
        const found = await prometheus.query(expression);
        expect(found, expression).toEqual([]);
      }
    }
  });
});

describe("the runbooks", () => {
  it.each(runbookCommands({ NODE: "node1", POLICY: "edge", UID: "1" }))(
    "say what kubectl takes: %s",
    async (command) => {
      const kubectl = controlPlanePrograms().kubectl.join(" ");
      const script = `kubectl() { ${kubectl} "$@"; }\n${command}`;
      const env = { KUBECONFIG: cluster.controlPlane.kubeconfig };
      const { exitCode, stderr } = await lab.root.tryExec("sh", ["-c", script], { env });
      // The lab's operator runs outside of pods.
      const complaint = stderr.replace(/^No resources found in port-hardening namespace\.\n$/, "");
      expect({ exitCode, complaint }).toEqual({ exitCode: 0, complaint: "" });
    },
  );
});
