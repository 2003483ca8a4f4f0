import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_ALLOWED_SYSCTLS, sysctlAllowed } from "../../../src/plan/allowed-sysctls.ts";
import { type ControlPlane, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { combinations } from "./combinations.ts";
import { endJob } from "./end-job.ts";
import { chart, helmProgram, manifests, project, render } from "./helm.ts";

const namespace = "port-hardening";
const inNamespace = ["--namespace", namespace];

let lab: Lab;
let controlPlane: ControlPlane;
let env: Record<string, string>;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  env = { KUBECONFIG: controlPlane.kubeconfig, HOME: lab.root.folder };
  await kubectl("apply", "--server-side", "-f", join(project, ".cache/monitors.yaml"));
  await kubectl("create", "namespace", namespace);
  await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
});
afterAll(() => lab?.close());

const kubectl = async (...args: string[]) => (await controlPlane.kubectl(args, { timeoutMilliseconds: 90_000 })).stdout;
const helm = (...args: string[]) => lab.root.tryExec(helmProgram, args, { env, timeoutMilliseconds: 150_000 });

/** What Helm prints on a success. */
async function mustHelm(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await helm(...args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

describe("a real API server takes all of the chart with", () => {
  it.each(Object.keys(combinations))("%s", async (name) => {
    const text = await render(combinations[name] ?? {});
    // Unknown and repeated fields are errors.
    const dry = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
    const { stdout } = await controlPlane.kubectl(dry, { input: text });
    expect(stdout.trim().split("\n")).toHaveLength(manifests(text).length);
  });
});

describe("a namespace that enforces Pod Security", () => {
  it("is refused before anything is installed, with the command that mends it", async () => {
    await kubectl("create", "namespace", "strict");
    await kubectl("label", "namespace", "strict", "pod-security.kubernetes.io/enforce=baseline");
    const install = ["install", "port-hardening", chart, "--namespace", "strict"];
    const { stderr, exitCode } = await helm(...install);
    expect(exitCode).not.toBe(0);
    const command = /Run: kubectl (label --overwrite namespace strict pod-security\S+)/.exec(stderr)?.[1];
    expect(command, stderr).toBeDefined();
    await kubectl(...(command ?? "").split(" "));
    await mustHelm(...install, "--dry-run=server");
  });
});

describe("a release", () => {
  const kinds = ["phpol", "phnode", "phag"];

  it("is installed, and says what comes next", async () => {
    const said = await mustHelm("install", "port-hardening", chart, ...inNamespace);
    expect(said).toContain("kubectl get porthardeningpolicies -o wide");
    await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
    // Helm asked the API server whether it serves this.
    expect(await kubectl("get", "mutatingadmissionpolicybinding", "-o", "name")).toContain(
      "/port-hardening-pod-range\n",
    );
  });

  it("proposes a first policy that the API server takes", async () => {
    const said = await mustHelm("get", "notes", "port-hardening", ...inNamespace);
    const policy = /<<END\n([^]*?)\n +END/.exec(said)?.[1] ?? "";
    const { stdout } = await controlPlane.kubectl(["apply", "-f", "-"], { input: policy });
    expect(stdout).toBe("porthardeningpolicy.porthardening.io/first created\n");
  });

  it("upgrades the kinds, unlike charts that have them in crds/", async () => {
    const column = "Would-Drop";
    const columns = () => kubectl("get", "phpol", "-o", "wide");
    const older = join(lab.root.folder, "older");
    await cp(chart, older, { recursive: true });
    const file = join(older, "templates/crd-policies.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(`name: ${column}`, "name: Older"));
    expect(await columns()).toContain(column.toUpperCase());
    await mustHelm("upgrade", "port-hardening", older, ...inNamespace);
    await waitFor("the older kinds", async () => (await columns()).includes("OLDER") || undefined, {
      timeoutMilliseconds: 60_000,
    });
    await mustHelm("upgrade", "port-hardening", chart, ...inNamespace);
    await waitFor("the newer kinds", async () => (await columns()).includes(column.toUpperCase()) || undefined, {
      timeoutMilliseconds: 60_000,
    });
  });

  it("keeps all where nodes could not be cleared, and says so", async () => {
    const before = await kubectl("get", "deploy,ds,sa,cm,pdb", ...inNamespace, "-o", "name");
    const [{ exitCode, stderr }] = await Promise.all([
      helm("uninstall", "port-hardening", ...inNamespace, "--timeout", "120s"),
      endJob(controlPlane, "Failed"),
    ]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("port-hardening-uninstall");
    // Whoever thinks better of it goes back.
    await mustHelm("rollback", "port-hardening", "3", ...inNamespace);
    await mustHelm("upgrade", "port-hardening", chart, ...inNamespace);
    expect(await kubectl("get", "deploy,ds,sa,cm,pdb", ...inNamespace, "-o", "name")).toBe(before);
    expect(await kubectl("get", "job", ...inNamespace, "-o", "name")).toBe("job.batch/port-hardening-uninstall\n");
  });

  it("goes when they are, and leaves the kinds and the policies", async () => {
    await Promise.all([
      mustHelm("uninstall", "port-hardening", ...inNamespace, "--timeout", "120s"),
      endJob(controlPlane, "Complete"),
    ]);
    const rest = await kubectl("get", "deploy,ds,cm,pdb,job,role,rolebinding", ...inNamespace, "-o", "name");
    expect(rest.replace("configmap/kube-root-ca.crt\n", "")).toBe("");
    const ofCluster = "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding";
    const ofPods = "mutatingadmissionpolicy,mutatingadmissionpolicybinding";
    expect(await kubectl("get", `${ofCluster},${ofPods}`, "-o", "name")).not.toContain("port-hardening");
    for (const kind of kinds) await expect(kubectl("get", kind)).resolves.toBeDefined();
    expect(await kubectl("get", "phpol", "-o", "name")).toContain("/first");
  });

  it("comes again onto the kinds that were left", async () => {
    await mustHelm("install", "port-hardening", chart, ...inNamespace);
    expect(await kubectl("get", "ds", ...inNamespace, "-o", "name")).toBe("daemonset.apps/port-hardening-agent\n");
  });
});

describe("sysctls", () => {
  const policy = (name: string, sysctls: object, labels: object = {}) =>
    JSON.stringify({
      apiVersion: "porthardening.io/v1alpha1",
      kind: "PortHardeningPolicy",
      metadata: { name, labels },
      spec: { mode: "Enforce", sysctls },
    });
  const apply = (text: string, ...flags: string[]) =>
    controlPlane.tryKubectl(["apply", ...flags, "-f", "-"], { input: text });
  const refused = async (key: string) => (await apply(policy("tried", { [key]: "1" }), "--dry-run=server")).stderr;

  it("that are not on the list are refused by name", async () => {
    await waitFor("the policy to be in force", async () => (await refused("kernel.panic")) !== "" || undefined, {
      timeoutMilliseconds: 60_000,
    });
    const both = { "kernel.panic": "1", "net.ipv4.tcp_syncookies": "1", "vm.swappiness": "1" };
    const { stderr } = await apply(policy("tried", both));
    expect(stderr).toMatch(
      /spec\.sysctls: not on the list of this install: (kernel\.panic, vm\.swappiness|vm\.swappiness, kernel\.panic) /,
    );
    expect(stderr).not.toContain("syncookies");
  });

  const patterns = DEFAULT_ALLOWED_SYSCTLS.map(({ pattern }) => pattern);
  const near = [
    "net.ipv4.conf.eth0.rp_filter",
    "net.a.b.conf.all.accept_redirects",
    "net.ipv4.tcp_syncookies2",
    "net.ipv4xtcp_syncookies.a",
  ];
  const keys = [...patterns.map((pattern) => pattern.replace("*", "ipv6")), ...near];
  it("are judged as the compiler judges them", async () => {
    const answers = await Promise.all(keys.map(async (key) => [key, (await refused(key)) === ""] as const));
    expect(Object.fromEntries(answers)).toEqual(
      Object.fromEntries(keys.map((key) => [key, sysctlAllowed(key, patterns)])),
    );
  });

  it("of a policy from before a shorter list stay, and do not keep it from being labelled or deleted", async () => {
    const text = policy("older", { "net.ipv4.tcp_fin_timeout": "30" });
    expect((await apply(text)).stderr).toBe("");
    await mustHelm("upgrade", "port-hardening", chart, ...inNamespace, "--set", "allowedSysctls={net.core.somaxconn}");
    await waitFor("the shorter list", async () => (await refused("net.ipv4.tcp_fin_timeout")) !== "" || undefined, {
      timeoutMilliseconds: 60_000,
    });
    expect(await refused("net.core.somaxconn")).toBe("");
    await kubectl("label", "phpol", "older", "team=platform");
    const { stderr } = await apply(policy("older", { "net.ipv4.tcp_fin_timeout": "31" }));
    expect(stderr).toContain("net.ipv4.tcp_fin_timeout");
    await kubectl("delete", "phpol", "older");
  });
});
