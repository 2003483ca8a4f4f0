import { LEADER_LEASE } from "../../../src/controller/leader.ts";
import type { ControllerLab } from "../controller/controller-lab.ts";
import {
  addKnownNode,
  addNode,
  addPolicy,
  addSilentNode,
  askForPods,
  findInPod,
  hasNodeState,
  hasStatus,
  isAssigned,
  isHeard,
  isReady,
  isSilent,
  leads,
  messageOf,
  removeLeaderLease,
  removeNode,
  removePolicy,
  renew,
  tellsPod,
  tellsPolicy,
} from "./controller-steps.ts";
import type { Loss } from "./loss.ts";
import {
  addApiServer,
  addService,
  addServiceCidr,
  apiServerPublished,
  serviceCidrPublished,
  servicePublished,
} from "./published-steps.ts";
import { inTurn, not } from "./steps.ts";

const newNode = { anew: true, deed: addNode, held: hasNodeState } as const;
const newService = { anew: true, deed: addService, held: servicePublished } as const;
const newServiceCidr = { anew: true, deed: addServiceCidr, held: serviceCidrPublished } as const;
const newApiServer = { anew: true, deed: addApiServer, held: apiServerPublished } as const;
const leading = { anew: true, held: leads } as const;
const readyForPods = { deed: askForPods, held: isReady, told: messageOf } as const;
const podsPromise = "a policy is Ready only where it is known that pods get its range";

/** Kubernetes' own kinds: what the controller's promises about them rest on. */
export const lossesOfOtherKinds: readonly Loss<ControllerLab>[] = [
  {
    right: "get nodes",
    promise: "a NodeState goes when its node is certainly gone",
    before: addKnownNode,
    deed: removeNode,
    held: not(hasNodeState),
  },
  { right: "list nodes", promise: "nodes are managed", ...newNode },
  { right: "watch nodes", promise: "a node that joins later is managed", ...newNode },
  { right: "list services", promise: "the addresses of Services are protected", ...newService },
  { right: "watch services", promise: "the address of a new Service is protected", ...newService },
  { right: "list servicecidrs", promise: "the ranges of Services are known", ...newServiceCidr },
  { right: "watch servicecidrs", promise: "a new range of Services is known", ...newServiceCidr },
  { right: "list endpointslices", promise: "API servers are trusted", ...newApiServer },
  { right: "watch endpointslices", promise: "an API server that joins is trusted", ...newApiServer },
  {
    right: "list pods",
    promise: "an Event names the pod that listens",
    once: true,
    before: addKnownNode,
    deed: findInPod,
    held: tellsPod,
  },
  {
    right: "create events",
    promise: "people are told how a policy turned",
    once: true,
    before: addKnownNode,
    deed: addPolicy,
    held: tellsPolicy,
  },
  {
    right: "get customresourcedefinitions porthardeningpolicies.porthardening.io",
    promise: "a policy that was deleted leaves its nodes",
    before: inTurn(addKnownNode, addPolicy, { until: isAssigned }),
    deed: removePolicy,
    held: not(isAssigned),
  },
  { right: "get mutatingadmissionpolicies port-hardening-pod-range", promise: podsPromise, ...readyForPods },
  { right: "get mutatingadmissionpolicybindings port-hardening-pod-range", promise: podsPromise, ...readyForPods },
  {
    right: "list leases",
    promise: "statuses are judged by who is alive",
    anew: true,
    deed: addPolicy,
    held: hasStatus,
  },
  {
    right: "watch leases",
    promise: "an agent that was silent and speaks again is heard",
    anew: true,
    before: inTurn(addSilentNode, addPolicy),
    deed: inTurn({ until: isSilent }, renew),
    held: isHeard,
  },
  {
    right: "create leases",
    promise: "the first controller of an install leads",
    before: removeLeaderLease,
    ...leading,
  },
  { right: `get leases ${LEADER_LEASE}`, promise: "a controller finds out that nobody leads", ...leading },
  { right: `update leases ${LEADER_LEASE}`, promise: "a controller takes over what was let go", ...leading },
];
