/** `node bench/preview.ts`, and part of `npm run bench`: what `porthardening plan` works out for a fleet, without the API server's part. */
import { parsePolicy } from "../src/api/parse.ts";
import type { ClusterView, StateView } from "../src/cli/cluster-view.ts";
import { clusterInput } from "../src/cli/preview-cluster.ts";
import { previewText } from "../src/cli/preview-text.ts";
import { compileProposal } from "../src/cli/proposal.ts";
import { parseInstallSettings } from "../src/plan/install-settings.ts";
import type { AssignedPolicy } from "../src/plan/types.ts";
import { preview } from "../src/preview/preview.ts";
import type { Place } from "../src/preview/types.ts";
import { type Figure, printFigures, summarise } from "./statistics.ts";

const NODES = 1_000;
/** A NodeState names the first twenty; pods with hostPorts are the others. */
const LISTENERS = 50;
const NAMED = 20;
const CONNECTIONS = 20;
/** Nodes of one pool have the same policies. */
const POOLS = 20;

const { allowedSysctls, node: settings } = parseInstallSettings(undefined);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

function policyOf(name: string, cidrs: readonly string[]) {
  const from = cidrs.map((cidr) => ({ ipBlock: { cidr } }));
  const inbound = {
    allow: [
      { name: "office", from },
      { name: "metrics", from, ports: [9100] },
    ],
  };
  return parsePolicy({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name },
    spec: { mode: "Enforce", firewall: { inbound } },
  });
}

const compiled = (name: string, cidrs: readonly string[]): AssignedPolicy => {
  const [policy] = compileProposal([policyOf(name, cidrs)], [], { allowedSysctls }).policies;
  if (policy === undefined) throw new Error("nothing was compiled");
  return policy.element;
};

function fleet(): ClusterView {
  const ofPool = numbers(POOLS).map((pool) => compiled("pool", [`10.${pool}.0.0/16`]));
  const address = (index: number) => `198.18.${index >> 8}.${index & 255}`;
  const state = (index: number): StateView => {
    const assigned = ofPool[index % POOLS];
    return {
      assigned: assigned === undefined ? [] : [assigned],
      unreadable: 0,
      status: {
        agentVersion: "1",
        listeners: {
          count: NAMED,
          top: numbers(NAMED).map((n) => {
            const port = 9_100 + n * (1 + (index % 7));
            return { protocol: "TCP", address: "0.0.0.0", port, process: `server-${n}`, reach: "Some" };
          }),
        },
        connections: {
          established: CONNECTIONS * 3,
          timeWait: 0,
          top: numbers(CONNECTIONS).map((n) => {
            return { direction: "Inbound", peer: `10.${index % POOLS}.3.${n}`, port: 9_100 + n, connections: 3 };
          }),
        },
      },
    };
  };
  const hostPorts = (index: number) =>
    numbers(LISTENERS - NAMED).map((n): Place => {
      return {
        kind: "HostPort",
        protocol: "TCP",
        address: "::",
        port: 20_000 + n * (1 + (index % 11)),
        name: `ns/pod-${n}`,
      };
    });
  const names = numbers(NODES).map((index) => `node${index}`);
  return {
    nodes: names.map((name, index) => {
      return { name, uid: name, labels: {}, ready: true, addresses: [address(index)], podCidrs: [] };
    }),
    states: new Map(names.map((name, index) => [name, state(index)])),
    policies: [],
    groups: [],
    services: [],
    podPlaces: new Map(names.map((name, index) => [name, hostPorts(index)])),
    podNames: new Map(),
    gaps: [],
    notes: [],
  };
}

/** An edit of a policy that all nodes have, and that cuts connections on each. */
export function measurePreview(runs: number): Figure {
  const view = fleet();
  const times = numbers(runs).map(() => {
    const start = performance.now();
    const proposal = compileProposal([policyOf("pool", ["203.0.113.0/24"])], [], { allowedSysctls });
    const { nodes, world, notes } = clusterInput(view, proposal, [], {
      compile: { allowedSysctls },
      settings,
      only: undefined,
    });
    const found = preview(nodes, world);
    const text = previewText(found, { rules: false, notes });
    const milliseconds = performance.now() - start;
    if (found.outcome !== "Cuts" || found.flows.length !== POOLS * CONNECTIONS || text === "")
      throw new Error(`the preview has ${found.flows.length} groups of connections that are cut`);
    return milliseconds;
  });
  return { name: "preview: 1,000 nodes, 50 listeners each", unit: "ms", measured: summarise(times), aim: 3_000 };
}

if (import.meta.main) process.stdout.write(printFigures([measurePreview(10)]));
