import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { documentedValues } from "../../../scripts/chart/documented-values.ts";
import { valuesSchema } from "../../../scripts/chart/values-schema.ts";
import { DEFAULT_ALLOWED_SYSCTLS } from "../../../src/plan/allowed-sysctls.ts";
import { parseInstallSettings } from "../../../src/plan/install-settings.ts";
import { DEFAULT_MARK_BIT } from "../../../src/plan/node-settings.ts";
import { controlPlanePrograms } from "../../lab/control-plane-programs.ts";
import { combinations } from "./combinations.ts";
import { chart, lint, type Manifest, manifests, project, render, type Values } from "./helm.ts";
import { otherValues } from "./other-values.ts";

const text = readFileSync(join(chart, "values.yaml"), "utf8");
const defaults = parse(text) as Values;

/** `agent.healthPort` and a value, as values. */
function nested(path: string, value: unknown): Values {
  return path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Values;
}

const monitored = {
  agent: { healthHost: "NodeAddress" },
  metrics: {
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
};

describe("helm lint --strict finds nothing with", () => {
  it.each(Object.keys(combinations))("%s", async (name) => {
    expect(await lint(combinations[name] ?? {})).toBe("");
  });
});

describe("values", () => {
  const documented = documentedValues(text);

  it("are those of their schema, neither more nor fewer", () => {
    expect(() => valuesSchema.parse(defaults)).not.toThrow();
  });

  it("each have a test of their effect", () => {
    expect(Object.keys(otherValues)).toEqual(documented.map(({ path }) => path));
  });

  it.each(Object.entries(otherValues))("%s makes a difference", async (path, { other, where = {} }) => {
    expect(await render(merged(where, nested(path, other)))).not.toBe(await render(where));
  });

  it("take the sysctls and the mark bit from where the program has them", () => {
    expect(defaults["allowedSysctls"]).toEqual(DEFAULT_ALLOWED_SYSCTLS.map(({ pattern }) => pattern));
    expect(defaults["agent"]).toMatchObject({ markBit: `0x${DEFAULT_MARK_BIT.toString(16)}` });
  });

  it.each([
    [{ agent: { primeSecond: 3 } }, "at '/agent': additional properties 'primeSecond' not allowed"],
    [{ podPortRange: { enabled: true } }, "at '': additional properties 'podPortRange' not allowed"],
    [{ podRange: { excludedNamespaces: ["kube_system"] } }, "at '/podRange/excludedNamespaces/0'"],
    [{ agent: { primeSeconds: "30" } }, "at '/agent/primeSeconds': got string, want integer"],
    [{ agent: { primeSeconds: null } }, "at '/agent': missing property 'primeSeconds'"],
    [{ agent: { markBit: "0x3000" } }, "at '/agent/markBit'"],
    [{ agent: { healthPort: 80 } }, "at '/agent/healthPort': minimum: got 80, want 1,024"],
    [{ agent: { stateDirectory: "var" } }, "at '/agent/stateDirectory'"],
    [{ agent: { updateStrategy: { rollingUpdate: { maxUnavailable: "many" } } } }, "at '/agent/updateStrategy"],
    [{ controller: { replicas: 0 } }, "at '/controller/replicas': minimum: got 0, want 1"],
    [{ controller: { logLevel: "loud" } }, "at '/controller/logLevel': value must be one of"],
    [{ allowedSysctls: ["net.ipv4.x') || true || ('"] }, "at '/allowedSysctls/0'"],
    [{ failsafes: { inbound: [{ name: "x" }] } }, "missing properties 'protocol', 'ports', 'peers'"],
    [{ podInterfaces: ["a name that is too long"] }, "at '/podInterfaces/0'"],
    [{ image: { digest: "latest" } }, "at '/image/digest'"],
    [{ uninstall: { timeoutSeconds: 0 } }, "at '/uninstall/timeoutSeconds'"],
    [{ metrics: { serviceMonitor: { enabled: true } } }, "agent.healthHost 127.0.0.1: set it to NodeAddress"],
  ])("are refused by name: %j", async (values, message) => {
    await expect(render(values)).rejects.toThrow(message);
  });
});

function merged(base: Values, over: Values): Values {
  const both = Object.keys({ ...base, ...over }).map((name) => {
    const [a, b] = [base[name], over[name]];
    const maps = [a, b].every((one) => typeof one === "object" && one !== null && !Array.isArray(one));
    return [name, maps ? merged(a as Values, b as Values) : name in over ? b : a];
  });
  return Object.fromEntries(both) as Values;
}

describe("what gives pods their range", () => {
  const kinds = async (...args: Parameters<typeof render>) =>
    manifests(await render(...args)).flatMap(({ kind, metadata }) =>
      kind.startsWith("MutatingAdmission") ? [`${kind} ${metadata.name}`] : [],
    );

  it("is there by default, by the name that the controller is told", async () => {
    const name = "hardening-port-hardening-pod-range";
    expect(await kinds({}, "hardening")).toEqual([
      `MutatingAdmissionPolicy ${name}`,
      `MutatingAdmissionPolicyBinding ${name}`,
    ]);
    expect(await render({}, "hardening")).toContain(`{name: POD_RANGE_NAME, value: ${name}}`);
  });

  it("is left out where the API server does not serve it, and where nobody wants it", async () => {
    expect(await kinds({}, "port-hardening", [])).toEqual([]);
    expect(await kinds({ podRange: { enabled: false } })).toEqual([]);
  });
});

describe("the settings of the install", () => {
  const settings = async (name: string) => {
    const objects = manifests(await render(combinations[name] ?? {}));
    const map = objects.find(({ metadata }) => metadata.name.endsWith("-settings")) as Manifest & {
      readonly data: Readonly<Record<string, string>>;
    };
    return parseInstallSettings(parse(map.data["settings.yaml"] ?? "", { version: "1.1" }));
  };

  it("are by default what the program takes without a file", async () => {
    expect(await settings("the defaults")).toEqual(parseInstallSettings(undefined));
  });

  it("are what was asked for", async () => {
    const { allowedSysctls, node } = await settings("lists of one's own");
    expect(allowedSysctls).toEqual(["net.ipv4.tcp_syncookies", "net.*.conf.all.accept_redirects"]);
    expect(node).toMatchObject({ podInterfaces: ["pod+", "wg0"], podsOnUplink: true });
    const backup = {
      name: "backup",
      protocol: "TCP",
      ports: [
        { from: 9102, to: 9102 },
        { from: 9200, to: 9300 },
      ],
      peers: "Nodes",
    };
    expect(node.failsafes.inbound.at(-1)).toMatchObject(backup);
    expect((await settings("no sysctls at all")).allowedSysctls).toEqual([]);
  });

  it("are read by agents and controller, which start again where they change", async () => {
    const pods = async (name: string) =>
      manifests(await render(combinations[name] ?? {}))
        .filter(({ kind }) => kind === "Deployment" || kind === "DaemonSet")
        .map((object) => JSON.stringify((object as { readonly spec?: object }).spec));
    for (const pod of await pods("the defaults")) {
      expect(pod).toContain('{"name":"SETTINGS","value":"/etc/port-hardening/settings.yaml"}');
      expect(pod).toContain('{"name":"settings","mountPath":"/etc/port-hardening","readOnly":true}');
      expect(await pods("lists of one's own")).not.toContain(pod);
    }
  });
});

describe("what is rendered", () => {
  it("selects pods by what no upgrade changes", async () => {
    const selectors = async (values: Values) =>
      manifests(await render(values)).flatMap((object) => {
        const { selector } = (object as { spec?: { selector?: unknown } }).spec ?? {};
        return selector === undefined ? [] : [selector];
      });
    const byDefault = await selectors({});
    expect(byDefault.length).toBe(3);
    expect(JSON.stringify(byDefault)).not.toMatch(/version|helm\.sh/);
    for (const name of ["a private registry", "pods placed by hand", "lists of one's own"]) {
      expect(await selectors(combinations[name] ?? {})).toEqual(byDefault);
    }
  });

  it("keeps the kinds, and with them all policies, when the release goes", async () => {
    const kinds = manifests(await render({})).filter(({ kind }) => kind === "CustomResourceDefinition");
    expect(kinds.map(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"])).toEqual(
      Array(4).fill("keep"),
    );
  });

  it("gives scraped targets the names that alerts, dashboard and documentation know", async () => {
    const documentation = readFileSync(join(project, "docs/metrics.md"), "utf8");
    const objects = manifests(await render(monitored));
    const relabelled = objects.flatMap((object) => [
      ...JSON.stringify(object).matchAll(/"targetLabel":"job","replacement":"([^"]+)"/g),
    ]);
    const jobs = relabelled.map(([, job]) => job ?? "").toSorted();
    expect(jobs).toEqual(["port-hardening-agent", "port-hardening-controller"]);
    for (const job of jobs) expect(documentation).toContain(`job_name: ${job}\n`);
    expect(JSON.stringify(objects.find(({ kind }) => kind === "PodMonitor"))).toContain('"targetLabel":"node"');
  });

  it("holds the very alerts and the dashboard that are tested", async () => {
    const objects = manifests(await render(monitored));
    const rule = objects.find(({ kind }) => kind === "PrometheusRule") as Manifest & { readonly spec: unknown };
    expect(rule.spec).toEqual(parse(readFileSync(join(project, "deploy/monitoring/alerts.yaml"), "utf8")));
    const dashboard = objects.find(({ metadata }) => metadata.name.endsWith("-dashboard")) as Manifest & {
      readonly data: Readonly<Record<string, string>>;
    };
    expect(dashboard.data["port-hardening.json"]).toBe(
      readFileSync(join(project, "deploy/monitoring/dashboard.json"), "utf8"),
    );
  });
});

describe("deploy/", () => {
  it("is as the chart's default values make it", async () => {
    const script = join(project, "scripts/generate-deploy.ts");
    await expect(execa(process.execPath, [script, "--check"])).resolves.toBeDefined();
  });

  it("holds the same objects as the chart, but for the kinds, and a namespace of its own; what not all versions serve apart", async () => {
    const [kubectl, ...first] = controlPlanePrograms().kubectl;
    const { stdout } = await execa(kubectl, [...first, "kustomize", join(project, "deploy")]);
    const apart = manifests(readFileSync(join(project, "deploy/pod-range.yaml"), "utf8"));
    const own = [...manifests(stdout).filter(({ kind }) => kind !== "Namespace"), ...apart];
    const fromChart = manifests(await render({})).filter(
      ({ kind, metadata }) =>
        kind !== "CustomResourceDefinition" && metadata.annotations?.["helm.sh/hook"] === undefined,
    );
    expect(own.map(plain).toSorted(byName)).toEqual(fromChart.map(plain).toSorted(byName));
  });
});

/** Without what says who installed it. */
function plain({ metadata: { labels: _, annotations: __, ...metadata }, ...rest }: Manifest): Manifest {
  return { ...rest, metadata };
}

function byName(a: Manifest, b: Manifest): number {
  const key = ({ kind, metadata }: Manifest) => `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
  return key(a).localeCompare(key(b));
}
