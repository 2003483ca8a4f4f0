/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description: string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
}

const AGE: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since the object was made.",
};

export const POLICY_COLUMNS: readonly Column[] = [
  { name: "Mode", type: "string", jsonPath: ".spec.mode", description: "What is done on the nodes." },
  { name: "Nodes", type: "integer", jsonPath: ".status.nodes.selected", description: "Nodes selected." },
  {
    name: "Enforced",
    type: "integer",
    jsonPath: ".status.nodes.enforced",
    description: "Nodes measured to match.",
  },
  {
    name: "Failed",
    type: "integer",
    jsonPath: ".status.nodes.failed",
    description: "Nodes that could not apply it.",
  },
  { name: "Unknown", type: "integer", jsonPath: ".status.nodes.unknown", description: "Nodes not heard of." },
  { name: "Status", type: "string", jsonPath: ".status.status", description: "Ready, or why not yet." },
  AGE,
  {
    name: "Rollout",
    type: "string",
    jsonPath: ".status.rollout.phase",
    description: "Where the roll-out of the newest revision stands.",
    wide: true,
  },
  { name: "Range", type: "string", jsonPath: ".status.range", description: "Local ports measured.", wide: true },
  {
    name: "Dropped",
    type: "integer",
    jsonPath: ".status.droppedPackets",
    description: "Packets dropped.",
    wide: true,
  },
  {
    name: "Would-Drop",
    type: "integer",
    jsonPath: ".status.wouldDropPackets",
    description: "Packets that the policy would drop if it did not only observe.",
    wide: true,
  },
  {
    name: "Would-Open",
    type: "integer",
    jsonPath: ".status.wouldOpenPackets",
    description: "Packets that are dropped and that the policy would let pass.",
    wide: true,
  },
  {
    name: "Unmatched",
    type: "integer",
    jsonPath: ".status.unmatched.count",
    description: "Firewall entries that no packet has matched on any node.",
    wide: true,
  },
  {
    name: "Audit",
    type: "string",
    jsonPath: ".status.audit.summary",
    description: "What audits of the nodes found.",
    wide: true,
  },
  {
    name: "Message",
    type: "string",
    jsonPath: ".status.message",
    description: "The status in a sentence.",
    wide: true,
  },
];

export const NODE_STATE_COLUMNS: readonly Column[] = [
  { name: "Policies", type: "integer", jsonPath: ".status.counts.assigned", description: "Policies assigned." },
  {
    name: "Enforced",
    type: "integer",
    jsonPath: ".status.counts.enforced",
    description: "Policies measured to hold.",
  },
  {
    name: "Failed",
    type: "integer",
    jsonPath: ".status.counts.failed",
    description: "Policies that could not be applied.",
  },
  { name: "Range", type: "string", jsonPath: ".status.ephemeralPorts.range", description: "Local ports measured." },
  { name: "Drift", type: "integer", jsonPath: ".status.drift.count", description: "Changes by others, repaired." },
  {
    name: "Ready",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: "Whether the node matches its spec.",
  },
  AGE,
  {
    name: "Applied",
    type: "date",
    jsonPath: ".status.appliedAt",
    description: "Latest change of the kernel.",
    wide: true,
  },
  {
    name: "Backend",
    type: "string",
    jsonPath: ".status.backend",
    description: "Packet filter in use.",
    wide: true,
  },
  { name: "Kernel", type: "string", jsonPath: ".status.kernelVersion", description: "Running kernel.", wide: true },
  {
    name: "Agent",
    type: "string",
    jsonPath: ".status.agentVersion",
    description: "Version of the agent.",
    wide: true,
  },
  {
    name: "Message",
    type: "string",
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    description: "Why it is ready or not.",
    wide: true,
  },
];

export const ADDRESS_GROUP_COLUMNS: readonly Column[] = [
  {
    name: "Cluster",
    type: "string",
    jsonPath: ".metadata.labels.porthardening\\.io/cluster",
    description: "Which of the cluster's own addresses these are; empty for groups made by users.",
  },
  { name: "First", type: "string", jsonPath: ".spec.addresses[0]", description: "The first address.", wide: true },
  AGE,
];

export const POD_RANGE_COLUMNS: readonly Column[] = [
  { name: "Range", type: "string", jsonPath: ".spec.range", description: "Local ports that new pods get." },
  { name: "Policy", type: "string", jsonPath: ".spec.policy", description: "The policy that asks for it." },
  AGE,
];
