import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { blockOf, type ReaderShell, readerShell } from "../../documentation/reader-shell.ts";
import { type ControlPlane, startControlPlane } from "../../lab/control-plane.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { endJob } from "./end-job.ts";
import { helmProgram, type Manifest, manifests, render } from "./helm.ts";

const FILE = "test/node/chart/documented.test.ts";

/** The commands of docs/install.md, each as a reader would copy it, in a shell that has the real kubectl and Helm. */
let lab: Lab;
let controlPlane: ControlPlane;
let shell: ReaderShell;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  shell = await readerShell(lab, controlPlane, { programs: { helm: helmProgram } });
});
afterAll(() => lab?.close());

const block = (heading: string, part: string) => blockOf("docs/install.md", heading, part);
const run = (commands: string) => shell.run(commands);

/**
 * The API server that empties a kind's storage as the first to read it may find that this still begins ("storage is
 * (re)initializing"). It tries again at once, and where its cache is late then (a conflict), not before it resyncs, five minutes later
 * (crd_finalizer.go of apiextensions-apiserver). In a cluster the garbage collector reads every kind; none runs here.
 */
async function kindsAreServed(): Promise<void> {
  for (const kind of ["phpol", "phnode", "phag"]) await found(kind);
}

const found = (what: string) => run(`kubectl get ${what} --all-namespaces --ignore-not-found -o name`);

describe("README.md", () => {
  it("shows an install that the API server takes", async () => {
    const command = blockOf("README.md", "Install it", "helm install").split("\n").slice(1).join("\n").trimEnd();
    expect(await run(`${command} --dry-run=server`)).toContain("registry.example/port-hardening:0.1.0");
  });
});

describe("docs/install.md: by Helm", () => {
  it("installs with an image from a registry of one's own", async () => {
    await run(block("With Helm", "helm install"));
    const images = await run(
      "kubectl -n port-hardening get deploy,ds -o jsonpath='{.items[*].spec.template.spec.containers[*].image}'",
    );
    expect(new Set(images.split(" "))).toEqual(new Set(["registry.example/port-hardening:0.1.0"]));
  });

  it("upgrades, and keeps the values", async () => {
    expect(await run(block("Upgrade", "helm upgrade"))).toContain("REVISION: 2");
    expect(await run("helm -n port-hardening get values port-hardening")).toContain("registry.example");
  });

  it("gives Argo CD its health checks", async () => {
    await run("kubectl create namespace argocd; kubectl -n argocd create configmap argocd-cm --from-literal=mine=kept");
    await run(block("With Argo CD", "kubectl patch"));
    const map = parse(await run("kubectl -n argocd get configmap argocd-cm -o yaml")) as { data: object };
    expect(Object.keys(map.data)).toEqual([
      "mine",
      ...["AddressGroup", "NodeState", "Policy"].map(
        (kind) => `resource.customizations.health.porthardening.io_PortHardening${kind}`,
      ),
    ]);
  });

  it("uninstalls, and takes the kinds only when told", async () => {
    await run("kubectl apply -f deploy/samples/minimal.yaml");
    await Promise.all([run(block("Uninstall", "helm uninstall")), endJob(controlPlane, "Complete")]);
    expect(await found("deploy,ds")).toBe("");
    expect(await found("crd")).toContain("porthardeningpolicies");
    await kindsAreServed();
    expect(await found("phpol")).toContain("/baseline");
    await run(block("Uninstall", "kubectl delete crd"));
    expect(await found("crd")).toBe("");
  });
});

describe("docs/install.md: by kustomize", () => {
  it("installs what the chart does", async () => {
    await run(block("With kustomize", "kubectl apply"));
    expect(await found("deploy,ds")).toBe(
      "deployment.apps/port-hardening-controller\ndaemonset.apps/port-hardening-agent\n",
    );
    await run(block("With kustomize", "deploy/pod-range.yaml"));
    expect(await found("mutatingadmissionpolicy,mutatingadmissionpolicybinding")).toContain(
      "/port-hardening-pod-range\n",
    );
  });

  it("clears a node that was offline, with the same image and the same folders as its agent", async () => {
    // Something else makes it in a cluster where controllers run.
    await run("kubectl -n port-hardening create serviceaccount default");
    const [apply] = block("A node that was offline", "deploy/cleanup.yaml").split("\n");
    await run(apply ?? "");
    const read = (text: string) => manifests(text)[0] as Manifest & { readonly spec: PodSpec };
    const made = read(await run("kubectl -n port-hardening get pod port-hardening-cleanup-the-node -o yaml")).spec;
    const agent = manifests(await render({})).find(({ kind }) => kind === "DaemonSet") as Manifest & {
      readonly spec: { readonly template: { readonly spec: PodSpec } };
    };
    const like = agent.spec.template.spec;
    expect(made.nodeName).toBe("the-node");
    expect(made.containers[0]?.image).toBe(like.containers[0]?.image);
    expect(made.containers[0]?.securityContext).toMatchObject(like.containers[0]?.securityContext ?? {});
    for (const { name, hostPath } of like.volumes.filter((volume) => volume.hostPath !== undefined)) {
      expect(made.volumes).toContainEqual({ name, hostPath });
    }
  });

  it("clears all nodes before it goes", async () => {
    const [apply, wait, remove, removePodRange] = block("Uninstall", "deploy/uninstall.yaml").split("\n");
    await Promise.all([run(apply ?? ""), endJob(controlPlane, "Complete")]);
    await run(wait ?? "");
    // Nothing ends namespaces here.
    await run(`${remove} --wait=false`);
    await run(removePodRange ?? "");
    expect(await found("mutatingadmissionpolicy,mutatingadmissionpolicybinding")).toBe("");
    expect(await found("deploy,ds")).toBe("");
  });
});

it("all of these commands were run", () => {
  expect(shell.missing(FILE)).toEqual([]);
});

interface PodSpec {
  readonly nodeName?: string;
  readonly containers: readonly { readonly image: string; readonly securityContext: object }[];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: object }[];
}
