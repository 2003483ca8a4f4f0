import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../lab/control-plane.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait-for.ts";

const KEY = "net.ipv4.ip_local_port_range";
const injected = { name: KEY, value: "49152 65535" };
const manifest = resolve(import.meta.dirname, "../../deploy/pod-range.yaml");

let lab: Lab;
let controlPlane: ControlPlane;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  await kubectl("create", "namespace", "port-hardening");
  await kubectl("apply", "--server-side", "-f", resolve(import.meta.dirname, "../../crds"));
  await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s");
  await kubectl("apply", "-f", manifest);
  for (const namespace of ["excepted", "default", "port-hardening", "kube-system"]) {
    if (namespace === "excepted") await kubectl("create", "namespace", namespace);
    // There is no controller manager that would make it.
    await kubectl("create", "serviceaccount", "default", "-n", namespace);
  }
  await kubectl("label", "namespace", "excepted", "porthardening.io/pod-range=Ignore");
  await give("49152-65535");
});
afterAll(() => lab?.close());

const kubectl = async (...args: string[]) => (await controlPlane.kubectl(args)).stdout;

type Sysctls = readonly { readonly name: string; readonly value: string }[];
interface Pod {
  readonly metadata?: object;
  readonly spec?: object;
  readonly namespace?: string;
}

/** The sysctls of the pod that the API server makes of this one; nothing is kept. */
async function sysctlsOf({ metadata = {}, spec = {}, namespace = "default" }: Pod): Promise<Sysctls> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "tried", ...metadata },
    spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "pause" }], ...spec },
  };
  const { stdout } = await controlPlane.kubectl(
    ["create", "--dry-run=server", "-n", namespace, "-o", "json", "-f", "-"],
    { input: JSON.stringify(pod) },
  );
  return JSON.parse(stdout).spec.securityContext?.sysctls ?? [];
}

/** As the controller does. Waits until the API server goes by it. */
async function give(range: string): Promise<void> {
  const object = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPodRange",
    metadata: { name: "cluster" },
    spec: { range, policy: "p" },
  };
  await controlPlane.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) });
  await podsBecome(range.replace("-", " "));
}

async function podsBecome(value: string | undefined): Promise<void> {
  let seen: Sysctls = [];
  await waitFor(
    `pods to get ${value}`,
    async () => {
      seen = await sysctlsOf({});
      return seen[0]?.value === value || undefined;
    },
    { timeoutMilliseconds: 60_000, intervalMilliseconds: 200, lastSeen: () => JSON.stringify(seen) },
  );
}

const withSysctls = (...sysctls: Sysctls) => ({ spec: { securityContext: { sysctls } } });
const other = { name: "net.ipv4.tcp_syncookies", value: "1" };

describe("a new pod", () => {
  it.each<[string, Pod, Sysctls]>([
    ["without a securityContext", {}, [injected]],
    ["with an annotation", { metadata: { annotations: { a: "b" } } }, [injected]],
    ["whose securityContext has no sysctls", { spec: { securityContext: { runAsNonRoot: true } } }, [injected]],
    ["with no sysctl in its list", withSysctls(), [injected]],
    ["with other sysctls, which it keeps", withSysctls(other), [other, injected]],
    ["in a network that hostNetwork: false names its own", { spec: { hostNetwork: false } }, [injected]],
    [
      "for nodes with Linux",
      { spec: { os: { name: "linux" }, nodeSelector: { "kubernetes.io/os": "linux" } } },
      [injected],
    ],
    [
      "whose privileged ports end below it",
      withSysctls({ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }),
      [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }, injected],
    ],
  ])("%s gets the range", async (_, pod, expected) => {
    expect(await sysctlsOf(pod)).toEqual(expected);
  });

  const own = { name: KEY, value: "32768 60999" };
  const slashed = { name: "net/ipv4/ip_local_port_range", value: "32768 60999" };
  const high = { name: "net.ipv4.ip_unprivileged_port_start", value: "50000" };
  it.each<[string, Pod, Sysctls]>([
    ["in the node's network", { spec: { hostNetwork: true } }, []],
    ["with a range of its own", withSysctls(own, other), [own, other]],
    ["with a range of its own, in the other spelling", withSysctls(slashed), [slashed]],
    [
      "with privileged ports above the range's begin, which the kernel would refuse together",
      withSysctls(high),
      [high],
    ],
    ["of an excepted namespace", { namespace: "excepted" }, []],
    ["of kube-system", { namespace: "kube-system" }, []],
    ["of the operator's namespace", { namespace: "port-hardening" }, []],
    ["with the label that excepts it", { metadata: { labels: { "porthardening.io/pod-range": "Ignore" } } }, []],
    [
      "that mirrors a static one",
      { metadata: { annotations: { "kubernetes.io/config.mirror": "0123" } }, spec: { nodeName: "node1" } },
      [],
    ],
    ["for Windows", { spec: { os: { name: "windows" } } }, []],
    ["for nodes with Windows", { spec: { nodeSelector: { "kubernetes.io/os": "windows" } } }, []],
  ])("%s is left as it is", async (_, pod, expected) => {
    expect(await sysctlsOf(pod)).toEqual(expected);
  });
});

it("follows an edit, and leaves pods alone when nothing is given any more", async () => {
  await give("40000-50000");
  await kubectl("delete", "phpods", "cluster");
  await podsBecome(undefined);
  await give("49152-65535");
});

it("still follows after an uninstall and a new install", async () => {
  await kubectl("delete", "-f", manifest);
  await podsBecome(undefined);
  await kubectl("apply", "-f", manifest);
  await podsBecome("49152 65535");
  await give("40000-50000");
  await kubectl("delete", "phpods", "cluster");
  await podsBecome(undefined);
});
