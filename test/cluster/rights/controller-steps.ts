/** What users, nodes and agents do, and what the controller makes of it. */
import { POD_RANGE_NAME } from "../../../src/api/pod-range.ts";
import { LEADER_LEASE } from "../../../src/controller/leader.ts";
import { fieldAt } from "../../../src/controller/wire-fields.ts";
import { renewLease } from "../../../src/kube/lease.ts";
import { microTime } from "../../../src/kube/micro-time.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { nodeAudit, redis } from "../../unit/controller/audit-status.ts";
import { type ControllerLab, condition, namespace } from "../controller/controller-lab.ts";
import * as steps from "./steps.ts";

type Step = steps.Step<ControllerLab>;
type Look = steps.Look<ControllerLab>;

export const addressOf = (name: string) => `10.98.${steps.serialOf(name)}.1`;
export const addNode: Step = (lab, name) => lab.addNode(name, { labels: { only: name }, address: addressOf(name) });
export const removeNode: Step = (lab, name) => lab.admin.delete(resources.nodes, { name });
export const hasNodeState: Look = async (lab, name) =>
  (await lab.admin.get(resources.nodeStates, { name })) !== undefined;
export const addKnownNode: Step = steps.inTurn(addNode, { until: hasNodeState });

export const onlyOn = (name: string) => ({
  nodeSelector: { matchLabels: { only: name } },
  rollout: { strategy: "Immediate" },
});
export const addPolicy: Step = (lab, name) => lab.addPolicy(name, onlyOn(name));
export const removePolicy: Step = (lab, name) => lab.admin.delete(resources.policies, { name });
export const isAssigned: Look = async (lab, name) =>
  (await lab.policiesOn(name)).some((policy) => policy.name === name);
export const hasStatus: Look = async (lab, name) => (await lab.statusOf(name)).observedGeneration !== undefined;
export const isReady: Look = async (lab, name) => condition(await lab.statusOf(name), "Ready") === "True";
export const messageOf = async (lab: ControllerLab, name: string) => (await lab.statusOf(name)).message ?? "";

const forPods = (range: string) => ({ ephemeralPorts: { range, pods: "Inject" }, rollout: { strategy: "Immediate" } });
export const askForPods: Step = (lab, name) => lab.addPolicy(name, forPods("40000-50000"));
export const askForOther: Step = (lab, name) => {
  const patch = JSON.stringify({ spec: forPods("42000-50000") });
  return lab.controlPlane.kubectl(["patch", "phpol", name, "--type=merge", "-p", patch]);
};
const givenToPods = async ({ admin }: ControllerLab) =>
  fieldAt(fieldAt(await admin.get(resources.podRanges, { name: POD_RANGE_NAME }), "spec"), "range");
export const givesRange: Look = async (lab) => (await givenToPods(lab)) === "40000-50000";
export const givesOther: Look = async (lab) => (await givenToPods(lab)) === "42000-50000";
export const givesNothing: Look = async (lab) => (await givenToPods(lab)) === undefined;

export const leads: Look = async ({ admin }) => {
  const lease = await admin.get(resources.leases, { namespace, name: LEADER_LEASE });
  return Boolean(fieldAt(fieldAt(lease, "spec"), "holderIdentity"));
};
export const removeLeaderLease: Step = ({ admin }) => admin.delete(resources.leases, { namespace, name: LEADER_LEASE });

const addOldLease = steps.create(resources.leases, (name) => ({
  metadata: { name, namespace },
  spec: { holderIdentity: name, leaseDurationSeconds: 180, renewTime: microTime(new Date(Date.now() - 3_600_000)) },
}));
export const addSilentNode: Step = async (lab, name) => {
  lab.agents.behave(name, "Silent");
  await addOldLease(lab, name);
  await addNode(lab, name);
};
export const renew: Step = ({ admin }, name) =>
  renewLease(admin, { namespace, name, holder: name, durationSeconds: 180 }, new Date());
export const isHeard: Look = async (lab, name) => (await lab.statusOf(name)).nodes?.unknown === 0;
export const isSilent: Look = async (lab, name) => (await lab.statusOf(name)).nodes?.unknown === 1;

const addPod = steps.create(resources.pods, (name) => ({
  metadata: { name, namespace },
  spec: {
    nodeName: name,
    // There is no controller manager that would make those called `default`.
    serviceAccountName: "port-hardening-controller",
    containers: [{ name: "redis", image: "redis" }],
  },
}));
/** The agent says that something in a pod speaks plain text. */
export const findInPod: Step = async (lab, name) => {
  await addPod(lab, name);
  const pod = await lab.admin.get(resources.pods, { name, namespace });
  const podUid = pod?.metadata.uid ?? "";
  const listener = { protocol: "TCP", address: "0.0.0.0", port: 6379, podUid, reach: "Everybody" } as const;
  const found = { ...redis, since: new Date().toISOString() };
  const audit = nodeAudit(name, {}, { top: [found] });
  lab.agents.report(name, { audit, listeners: { count: 1, top: [listener] } });
};
export const tellsPod: Look = eventWhere((event, name) =>
  String(fieldAt(event, "note")).includes(`Pod ${namespace}/${name}.`),
);
export const tellsPolicy: Look = eventWhere((event, name) => fieldAt(fieldAt(event, "regarding"), "name") === name);

function eventWhere(holds: (event: KubeObject, name: string) => boolean): Look {
  return async ({ admin }, name) => (await admin.list(resources.events, {})).items.some((event) => holds(event, name));
}
