import { join, resolve } from "node:path";
import { Registry } from "prom-client";
import type { PolicyStatus } from "../../../src/api/policy.ts";
import { type RunControllerOptions, runController } from "../../../src/controller/run-controller.ts";
import type { ControllerSettings } from "../../../src/controller/settings.ts";
import { kubeClient } from "../../../src/kube/client.ts";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { type ControlPlane, type ForwardedApi, startControlPlane } from "../../lab/control-plane.ts";
import { createLab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { type AssignedElement, type FakeAgents, specPolicies, startFakeAgents } from "./fake-agents.ts";

const project = resolve(import.meta.dirname, "../../..");
export const namespace = "port-hardening";

export interface RunningController {
  /** What it logged, as JSON lines. */
  log(): string;
  metrics(): Promise<string>;
  /** As SIGTERM does; resolves with the milliseconds that it took. */
  stop(): Promise<number>;
}

/** A control plane with CRDs and the real rights, agents without a kernel, and the controller in this process. */
export interface ControllerLab {
  readonly controlPlane: ControlPlane;
  readonly api: ForwardedApi;
  /** An administrator's. */
  readonly admin: KubeClient;
  readonly agents: FakeAgents;
  /** Under its own service account, so that a missing right shows. */
  startController(settings?: Partial<ControllerSettings>, elected?: Elected): Promise<RunningController>;
  addNode(name: string, options?: NodeOptions): Promise<void>;
  addPolicy(name: string, spec?: object): Promise<void>;
  policiesOn(node: string): Promise<readonly AssignedElement[]>;
  /** Waits until the NodeState of `node` names exactly these policies. */
  policiesBecome(node: string, names: readonly string[]): Promise<readonly AssignedElement[]>;
  statusOf(policy: string): Promise<PolicyStatus>;
  /** Waits until the status of `policy` is as `holds` says; gives it. */
  statusWhere(policy: string, holds: (status: PolicyStatus) => boolean): Promise<PolicyStatus>;
  close(): Promise<void>;
}

/** Of several that may run one leads; absent: it begins at once. */
type Elected = RunControllerOptions["leaderElection"];

export interface NodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly ready?: boolean;
  readonly address?: string;
}

/** `agents: false`: the test writes what agents would. */
export async function startControllerLab({ agents: answering = true } = {}): Promise<ControllerLab> {
  const lab = await createLab();
  const controlPlane = await startControlPlane(lab);
  await controlPlane.kubectl(["apply", "--server-side", "-f", join(project, "crds")]);
  await controlPlane.kubectl(["apply", "-k", join(project, "deploy")]);
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  const api = await controlPlane.forward();
  const admin = kubeClient(loadKubeConfig(api.kubeconfig));
  const agents = answering ? startFakeAgents(admin, namespace) : noAgents;
  const controllers = new Set<RunningController>();

  const statusOf = async (name: string): Promise<PolicyStatus> => {
    const policy = (await admin.get(resources.policies, { name })) as { readonly status?: PolicyStatus } | undefined;
    return policy?.status ?? {};
  };

  const policiesOn = async (name: string) => specPolicies(await admin.get(resources.nodeStates, { name }));
  const log = () => [...controllers].map((controller) => controller.log().slice(-2_000)).join("\n");

  return {
    controlPlane,
    api,
    admin,
    agents,
    statusOf,
    policiesOn,
    async startController(settings = {}, elected = undefined) {
      const account = {
        namespace,
        name: "port-hardening-controller",
      };
      const kubeconfig = await controlPlane.kubeconfigFor(account, api.server);
      const controller = launch(kubeClient(loadKubeConfig(kubeconfig)), settings, elected);
      controllers.add(controller);
      return controller;
    },
    async addNode(name, { labels = {}, ready = true, address } = {}) {
      const status = {
        addresses:
          address === undefined
            ? []
            : [
                {
                  type: "InternalIP",
                  address,
                },
              ],
        conditions: [
          {
            type: "Ready",
            status: ready ? "True" : "False",
          },
        ],
      };
      await admin.create(
        resources.nodes,
        object(
          "v1",
          "Node",
          {
            name,
            labels,
          },
          { status },
        ),
      );
    },
    async addPolicy(name, spec = {}) {
      const body = {
        spec: {
          mode: "Enforce",
          ...spec,
        },
      };
      await admin.create(
        resources.policies,
        object("porthardening.io/v1alpha1", "PortHardeningPolicy", { name }, body),
      );
    },
    async policiesBecome(node, names) {
      let seen: readonly AssignedElement[] = [];
      const probe = async () => {
        seen = await policiesOn(node);
        return seen.map(({ name }) => name).join() === names.join() ? seen : undefined;
      };
      const lastSeen = () => `${seen.map(({ name }) => name)}\n${log()}`;
      return waitFor(`the policies of ${node}`, probe, {
        timeoutMilliseconds: 60_000,
        intervalMilliseconds: 10,
        lastSeen,
      });
    },
    async statusWhere(policy, holds) {
      let seen: PolicyStatus = {};
      const probe = async () => {
        seen = await statusOf(policy);
        return holds(seen) ? seen : undefined;
      };
      const lastSeen = () => `${JSON.stringify(seen)}\n${log()}`;
      return waitFor(`the status of ${policy}`, probe, {
        timeoutMilliseconds: 60_000,
        intervalMilliseconds: 10,
        lastSeen,
      });
    },
    async close() {
      for (const controller of controllers) await controller.stop();
      await agents.stop();
      await admin.close();
      await api.close();
      await lab.close();
    },
  };
}

const noAgents: FakeAgents = {
  behave() {},
  behaveFromNextSpec() {},
  report() {},
  specsSeen: () => [],
  async stop() {},
};

function launch(client: KubeClient, settings: Partial<ControllerSettings>, elected: Elected): RunningController {
  const end = new AbortController();
  const lines: string[] = [];
  const registry = new Registry();
  const logger = createLogger({
    name: "controller",
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  const leaderElection = elected === undefined ? {} : { leaderElection: elected };
  const running = runController({
    client,
    namespace,
    logger,
    registry,
    signal: end.signal,
    settings,
    ...leaderElection,
  });
  return {
    log: () => lines.join(""),
    metrics: () => registry.metrics(),
    async stop() {
      const started = performance.now();
      end.abort();
      await running;
      await client.close();
      return performance.now() - started;
    },
  };
}

function object(apiVersion: string, kind: string, metadata: KubeObject["metadata"], rest: object): KubeObject {
  return { apiVersion, kind, metadata, ...rest };
}

/** The status of one condition. */
export function condition(status: PolicyStatus, type: string): string | undefined {
  return status.conditions?.find((candidate) => candidate.type === type)?.status;
}
