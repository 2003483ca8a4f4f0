import type { ControllerLab } from "../controller/controller-lab.ts";
import {
  addKnownNode,
  addNode,
  addPolicy,
  askForOther,
  askForPods,
  givesNothing,
  givesOther,
  givesRange,
  hasNodeState,
  hasStatus,
  isAssigned,
  isReady,
  messageOf,
  removeNode,
  removePolicy,
} from "./controller-steps.ts";
import type { Loss } from "./loss.ts";
import { addPeers, nodePublished, nodesAreThere, peersPublished, removeNodes } from "./published-steps.ts";
import { inTurn, not } from "./steps.ts";

const newPolicy = { deed: addPolicy, held: hasStatus } as const;
const newPolicyOnNode = { before: addKnownNode, deed: addPolicy, held: isAssigned } as const;
const newNode = { deed: addNode, held: hasNodeState } as const;
const nodeGoes = { before: addKnownNode, deed: removeNode, held: not(hasNodeState) } as const;
const started = { anew: true, before: addNode, deed: addPolicy, held: isAssigned } as const;

/** Policies, NodeStates, address groups, ranges of pods: what the controller's promises about them rest on. */
export const lossesOfOwnKinds: readonly Loss<ControllerLab>[] = [
  { right: "get porthardeningpolicies", promise: "status says what became of a policy", ...newPolicy },
  { right: "list porthardeningpolicies", promise: "policies reach their nodes", ...started },
  { right: "watch porthardeningpolicies", promise: "a policy that is new reaches its nodes", ...started },
  { right: "patch porthardeningpolicies/status", promise: "a policy has a status", ...newPolicy },
  { right: "get porthardeningnodestates", promise: "a new policy joins those of a node", ...newPolicyOnNode },
  { right: "list porthardeningnodestates", promise: "nodes are told of policies", ...started },
  {
    right: "watch porthardeningnodestates",
    promise: "what agents say comes to the policy's status",
    ...started,
    held: isReady,
  },
  { right: "create porthardeningnodestates", promise: "a node that joins is managed", ...newNode },
  { right: "update porthardeningnodestates", promise: "a policy is handed to a node", ...newPolicyOnNode },
  { right: "delete porthardeningnodestates", promise: "of a node that is gone nothing stays", ...nodeGoes },
  {
    right: "list porthardeningaddressgroups",
    promise: "nodes are trusted",
    anew: true,
    deed: addNode,
    held: nodePublished,
  },
  {
    right: "watch porthardeningaddressgroups",
    promise: "the cluster's addresses come back when somebody deletes them",
    anew: true,
    deed: removeNodes,
    held: nodesAreThere,
  },
  {
    right: "create porthardeningaddressgroups",
    promise: "nodes as peers of a new policy are published",
    before: addKnownNode,
    deed: addPeers,
    held: peersPublished,
  },
  {
    right: "patch porthardeningaddressgroups",
    promise: "a node that joins is trusted",
    deed: addNode,
    held: nodePublished,
  },
  {
    right: "delete porthardeningaddressgroups",
    promise: "a list of peers goes with the last policy that names them",
    before: inTurn(addPeers, { until: peersPublished }),
    deed: removePolicy,
    held: not(peersPublished),
  },
  {
    right: "get porthardeningpodranges",
    promise: "new pods get the range that a policy asks for",
    deed: askForPods,
    held: givesRange,
    told: messageOf,
  },
  {
    right: "create porthardeningpodranges",
    promise: "new pods get a range where none got one",
    before: inTurn({ until: givesNothing }),
    deed: askForPods,
    held: givesRange,
  },
  {
    right: "update porthardeningpodranges",
    promise: "new pods get the range of an edited policy",
    before: inTurn(askForPods, { until: givesRange }),
    deed: askForOther,
    held: givesOther,
  },
  {
    right: "delete porthardeningpodranges",
    promise: "new pods get nothing from a policy that is gone",
    before: inTurn(askForPods, { until: givesRange }),
    deed: removePolicy,
    held: givesNothing,
  },
];
