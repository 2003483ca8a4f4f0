import { fieldAt } from "../../../src/controller/wire-fields.ts";
import { microTime } from "../../../src/kube/micro-time.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient, KubeObject } from "../../../src/kube/types.ts";
import type { Host } from "../../lab/hosts.ts";
import { served, type WorkerNode } from "../../lab/operator-cluster.ts";
import { condition } from "../controller/controller-lab.ts";
import type { Loss } from "./loss.ts";
import * as steps from "./steps.ts";

/** A node with its agent, in a cluster with a controller. */
export interface AgentPlace {
  readonly admin: KubeClient;
  readonly worker: WorkerNode;
  readonly outside: Host;
  /** One of `outside`'s addresses. */
  readonly stranger: string;
}

type Step = steps.Step<AgentPlace>;
type Look = steps.Look<AgentPlace>;

const namespace = "port-hardening";
const RANGE = "net.ipv4.ip_local_port_range";

/** A range of its own for each policy. */
const firstPortOf = (name: string) => 20_000 + steps.serialOf(name);
const addPolicy: Step = ({ admin }, name) =>
  admin.create(resources.policies, policy(name, { ephemeralPorts: { range: `${firstPortOf(name)}-60000` } }));
const addAudits: Step = ({ admin }, name) => {
  const audit = { schedule: "0 3 * * *", mandatoryAccessControl: "Report", exposure: "Ignore" };
  return admin.create(resources.policies, policy(name, { firewall: { inbound: { defaultAction: "Allow" } }, audit }));
};
const removePolicy: Step = ({ admin }, name) => admin.delete(resources.policies, { name });

function policy(name: string, spec: object): KubeObject & { readonly spec: object } {
  const whole = { mode: "Enforce", rollout: { strategy: "Immediate" }, ...spec };
  return { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name }, spec: whole };
}

const addBlocklist: Step = async ({ admin }, name) => {
  await admin.create(resources.addressGroups, group(name, ["192.0.2.1/32"]));
  const deny = [{ name: "blocked", from: [{ addressGroup: { name } }] }];
  await admin.create(resources.policies, policy(name, { firewall: { inbound: { deny, defaultAction: "Allow" } } }));
};
const block: Step = async ({ admin, stranger }, name) => {
  const there = await admin.get(resources.addressGroups, { name });
  const { metadata } = there ?? { metadata: { name } };
  await admin.replace(resources.addressGroups, { ...group(name, [`${stranger}/32`]), metadata });
};

function group(name: string, addresses: readonly string[]): KubeObject & { readonly spec: object } {
  const kind = "PortHardeningAddressGroup";
  return { apiVersion: "porthardening.io/v1alpha1", kind, metadata: { name }, spec: { addresses } };
}

const hasRange: Look = async ({ worker }, name) =>
  (await worker.exec("sysctl", ["-n", RANGE])).stdout.trim() === `${firstPortOf(name)}\t60000`;
const isEnforced: Look = async ({ admin }, name) => {
  const object = (await admin.get(resources.policies, { name })) as { readonly status?: object } | undefined;
  return condition(object?.status ?? {}, "Ready") === "True";
};
const isBlocked: Look = async ({ outside, stranger, worker }) => {
  const { connect } = await outside.traffic();
  return (await connect({ from: stranger, to: worker.ipv4, port: served.hostPort })).outcome !== "connected";
};
const hasReport: Look = async ({ admin, worker: { name } }) =>
  (await admin.get(resources.clusterReports, { name })) !== undefined;
const isAlive: Look = async ({ admin, worker: { name } }) => {
  const renewTime = fieldAt(fieldAt(await admin.get(resources.leases, { name, namespace }), "spec"), "renewTime");
  return Date.now() - Date.parse(String(renewTime)) < 180_000;
};

const removeReport: Step = async (place, name) => {
  await addAudits(place, name);
  await place.admin.delete(resources.clusterReports, { name: place.worker.name });
};
const removeLease: Step = ({ admin, worker: { name } }) => admin.delete(resources.leases, { name, namespace });
const ageLease: Step = async (place, unused) => {
  await removeLease(place, unused);
  const { name } = place.worker;
  const renewTime = microTime(new Date(Date.now() - 3_600_000));
  const spec = { holderIdentity: name, leaseDurationSeconds: 180, renewTime };
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace }, spec };
  await place.admin.create(resources.leases, lease);
};

const newReport = { anew: true, before: removeReport, held: hasReport } as const;

/** Right by right, what the agents' promises rest on. */
export const agentLosses: readonly Loss<AgentPlace>[] = [
  {
    right: "list porthardeningnodestates",
    promise: "an agent that starts enforces what is assigned",
    anew: true,
    deed: addPolicy,
    held: hasRange,
  },
  {
    right: "watch porthardeningnodestates",
    promise: "a policy that is new arrives in the kernel",
    anew: true,
    deed: addPolicy,
    held: hasRange,
  },
  {
    right: "list porthardeningaddressgroups",
    promise: "an agent that starts knows the groups, and so may change rules",
    anew: true,
    deed: addPolicy,
    held: hasRange,
  },
  {
    right: "watch porthardeningaddressgroups",
    promise: "who is added to a blocklist is refused",
    anew: true,
    before: addBlocklist,
    deed: steps.inTurn({ until: isEnforced }, block),
    held: isBlocked,
  },
  {
    right: "patch porthardeningnodestates/status",
    promise: "what was read back is said",
    deed: addPolicy,
    held: isEnforced,
  },
  { right: "get clusterreports", promise: "findings are reported, unless the report is somebody else's", ...newReport },
  { right: "create clusterreports", promise: "a first audit is reported", ...newReport },
  { right: "patch clusterreports", promise: "an audit is reported", ...newReport },
  {
    right: "delete clusterreports",
    promise: "the report goes when nobody asks for audits any more",
    before: steps.inTurn(addAudits, { until: hasReport }),
    deed: removePolicy,
    held: steps.not(hasReport),
  },
  { right: "get leases", promise: "an agent that works counts as alive", anew: true, before: ageLease, held: isAlive },
  {
    right: "create leases",
    promise: "an agent on a new node counts as alive",
    anew: true,
    before: removeLease,
    held: isAlive,
  },
  {
    right: "update leases",
    promise: "an agent that is there again counts as alive",
    anew: true,
    before: ageLease,
    held: isAlive,
  },
];
