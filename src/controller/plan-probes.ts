/** Which peer measures which node, and who is told what (DESIGN 7.4): from what is there alone, so it needs no memory. */
import {
  type PeerProbe,
  PROBES_PER_PEER_MAX,
  type ProbeAnswer,
  type ProbePurpose,
  type ProbeRequest,
} from "../api/peer-probes.ts";
import { compareText } from "../plan/text-order.ts";
import type { NodeFacts } from "./node-facts.ts";
import { endsOf, probePaths } from "./probe-paths.ts";
import { type ProbingFacts, type PurposedRequest, requestsOf } from "./probing-facts.ts";

/** A node as a measurement sees it. */
export interface ProbingNode {
  readonly node: Pick<NodeFacts, "name" | "addresses">;
  /** Ready, and its agent was heard of lately: it may ask and be asked. */
  readonly available: boolean;
  readonly probing: ProbingFacts;
}

/** What the spec of a NodeState shall say. */
export interface Probing {
  readonly probes: readonly PeerProbe[];
  readonly answers: readonly ProbeAnswer[];
}

/** How long a peer may take: its own bound is 40 s for a probe, and others may wait before it. Then another is asked. */
const PEER_PATIENCE_MILLISECONDS = 300_000;

const NOBODY: Readonly<Record<ProbePurpose, string>> = {
  Audit: "no other node of the cluster is Ready, has a living agent and an address of the same family",
  Change:
    "no other node of the cluster is Ready, has a living agent, an address of the same family and no change of its own",
};

/**
 * One peer for each request, of all nodes in turn: it begins at one that the request's id decides and goes round, past
 * those that are not available or serve enough already. So a node is measured from another side in each audit, and a fleet
 * that is audited at once spreads over all of its nodes. Around a change the node's name decides instead: who measured
 * before it is to measure behind it, so that the two can be compared. Its requests go to different peers, and to none that
 * has a change of its own to confirm: what that one reaches says nothing of others.
 */
export function planProbes(nodes: readonly ProbingNode[], now: number): ReadonlyMap<string, Probing> {
  const ring = nodes.toSorted((a, b) => compareText(a.node.name, b.node.name));
  const probes = new Map<string, PeerProbe[]>(ring.map(({ node }) => [node.name, []]));
  const answers = new Map<string, ProbeAnswer[]>(ring.map(({ node }) => [node.name, []]));
  const open: OpenRequest[] = [];
  const given = probesById(ring);

  for (const target of ring) {
    if (!target.available) continue;
    const { name } = target.node;
    for (const asked of requestsOf(target.probing)) {
      const { id } = asked.request;
      const before = given.get(`${name} ${id}`);
      const answer = answered(target, asked.request) ?? (before && resultOf(before));
      if (answer !== undefined) answers.get(name)?.push(answer);
      else if (before !== undefined && mayGoOn(before, now)) probes.get(before.peer.node.name)?.push(before.probe);
      else {
        const start = startOf(asked.purpose === "Change" ? name : id, ring.length);
        open.push({ ...asked, target, after: before ? ring.indexOf(before.peer) : start });
      }
    }
  }

  const pathsBetween = pathFinder(open.length === 0 ? [] : ring);
  const served = ({ node }: ProbingNode) => probes.get(node.name) ?? [];
  const hasRoom = (peer: ProbingNode, purpose: ProbePurpose) =>
    served(peer).filter((probe) => purposeOf(probe) === purpose).length < PROBES_PER_PEER_MAX;
  const mayMeasure = (peer: ProbingNode, { target, purpose }: OpenRequest) =>
    purpose === "Audit" ||
    (peer.probing.reachRequests.length === 0 &&
      !served(peer).some((probe) => probe.node === target.node.name && purposeOf(probe) === "Change") &&
      !(answers.get(target.node.name) ?? []).some(
        (answer) => answer.peer === peer.node.name && answer.id !== target.probing.request?.id,
      ));
  for (const one of open.toSorted((a, b) => compareText(a.request.at, b.request.at))) {
    const { id, ports } = one.request;
    const { name } = one.target.node;
    const found = findPeer(one, ring, { pathsBetween, hasRoom, mayMeasure });
    if (found === "Nobody") answers.get(name)?.push({ id, problem: NOBODY[one.purpose] });
    // Where all have enough to do, it is the turn of this one when one of them is done.
    else if (found !== "Busy") {
      const { peer, paths } = found;
      const purpose = one.purpose === "Audit" ? {} : { purpose: one.purpose };
      probes.get(peer.node.name)?.push({ id, node: name, ...purpose, at: new Date(now).toISOString(), ports, paths });
    }
  }

  return new Map(
    ring.map(({ node: { name } }) => {
      const serving = (probes.get(name) ?? []).toSorted((a, b) => compareText(a.id, b.id));
      const told = (answers.get(name) ?? []).toSorted((a, b) => compareText(a.id, b.id));
      return [name, { probes: serving, answers: told }];
    }),
  );
}

function purposeOf({ purpose = "Audit" }: PeerProbe): ProbePurpose {
  return purpose;
}

interface OpenRequest extends PurposedRequest {
  readonly target: ProbingNode;
  /** Where on the ring the search for a peer begins. */
  readonly after: number;
}

function mayGoOn({ peer, probe }: GivenProbe, now: number): boolean {
  return peer.available && now < Date.parse(probe.at) + PEER_PATIENCE_MILLISECONDS;
}

interface PeerSearch {
  readonly pathsBetween: (peer: ProbingNode, target: ProbingNode) => PeerProbe["paths"];
  readonly hasRoom: (peer: ProbingNode, purpose: ProbePurpose) => boolean;
  readonly mayMeasure: (peer: ProbingNode, request: OpenRequest) => boolean;
}

/** The next one on the ring that can; nearly always one of the first, so a fleet that asks at once costs no square of it. */
function findPeer(
  request: OpenRequest,
  ring: readonly ProbingNode[],
  { pathsBetween, hasRoom, mayMeasure }: PeerSearch,
): { readonly peer: ProbingNode; readonly paths: PeerProbe["paths"] } | "Busy" | "Nobody" {
  const { target, after, purpose } = request;
  let found: "Busy" | "Nobody" = "Nobody";
  for (let step = 1; step <= ring.length; step++) {
    const peer = ring[(after + step) % ring.length];
    if (peer === undefined || peer === target || !peer.available || !mayMeasure(peer, request)) continue;
    const paths = pathsBetween(peer, target);
    if (paths.length === 0) continue;
    if (hasRoom(peer, purpose)) return { peer, paths };
    found = "Busy";
  }
  return found;
}

function pathFinder(nodes: readonly ProbingNode[]): PeerSearch["pathsBetween"] {
  const ends = new Map(nodes.map((one) => [one, endsOf(one.node.addresses)]));
  return (peer, target) => probePaths(ends.get(peer), ends.get(target));
}

interface GivenProbe {
  readonly peer: ProbingNode;
  readonly probe: PeerProbe;
}

/** By node and id; the newest, where a cache that lagged behind made two of one. */
function probesById(nodes: readonly ProbingNode[]): ReadonlyMap<string, GivenProbe> {
  const given = new Map<string, GivenProbe>();
  for (const peer of nodes) {
    for (const probe of peer.probing.probes) {
      const key = `${probe.node} ${probe.id}`;
      const other = given.get(key);
      if (other === undefined || other.probe.at < probe.at) given.set(key, { peer, probe });
    }
  }
  return given;
}

function answered({ probing }: ProbingNode, { id }: ProbeRequest): ProbeAnswer | undefined {
  return probing.answers.find((answer) => answer.id === id && answer.paths !== undefined);
}

/** Only the peer that was asked has a say. */
function resultOf({ peer, probe }: GivenProbe): ProbeAnswer | undefined {
  const result = peer.probing.results.find(({ id }) => id === probe.id);
  return result && { id: probe.id, peer: peer.node.name, paths: result.paths };
}

/** FNV-1a: ids are random, they need only be brought into the range. */
function startOf(id: string, count: number): number {
  let hash = 0x811c9dc5;
  for (const character of id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % Math.max(count, 1);
}
