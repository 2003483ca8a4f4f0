/** What is worth an Event in the status of one NodeState. Pure. */
import type { NodeAuditStatus } from "../api/audit-status.ts";
import { API_VERSION, NODE_STATE_KIND } from "../api/group.ts";
import type { NodeStateStatus } from "../api/node-state.ts";
import type { FindingFacts } from "./audit-facts.ts";
import type { Happening } from "./event-object.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";

/** Something that stands in a NodeState: `key` tells it apart, `since` is by the node's clock. */
export interface NodeNews {
  readonly key: string;
  readonly since: string;
  readonly action: Happening["action"];
}

const WORTH_AN_EVENT: ReadonlySet<string> = new Set(["critical", "high", "medium"]);

/** The repair first, then findings as they are ordered: the most urgent ones come first where not all can be told. */
export function nodeNews({ audit, driftAt }: Pick<NodeStateFacts, "audit" | "driftAt">): NodeNews[] {
  return [
    ...(driftAt === undefined ? [] : [{ key: driftKey(driftAt), since: driftAt, action: "Repair" as const }]),
    ...(audit?.top ?? [])
      .filter(({ severity }) => WORTH_AN_EVENT.has(severity))
      .map((finding) => ({ key: findingKey(finding), since: finding.since, action: "Audit" as const })),
  ];
}

export interface NodeIdentity {
  readonly name: string;
  readonly uid: string;
  /** Of the Node. */
  readonly nodeUid: string | undefined;
}

/** `podOf`: `namespace/name` of the pod whose listener a finding is about, where that is known. */
export function nodeHappenings(
  { name, uid, nodeUid }: NodeIdentity,
  { audit, drift }: Pick<NodeStateStatus, "audit" | "drift">,
  podOf: (finding: Finding) => string | undefined,
): Map<string, Happening> {
  const regarding = { apiVersion: API_VERSION, kind: NODE_STATE_KIND, name, uid };
  const related = nodeUid === undefined ? {} : { related: { apiVersion: "v1", kind: "Node", name, uid: nodeUid } };
  const happenings = new Map<string, Happening>();
  if (drift?.last !== undefined) {
    const { at } = drift.last;
    const rest = { regarding, ...related, type: "Warning", reason: "DriftRepaired", action: "Repair" } as const;
    happenings.set(driftKey(at), { ...rest, note: driftNote(drift.last), identity: [at] });
  }
  for (const finding of audit?.top ?? []) {
    const { id, subject, evidence, remedy, severity, since } = finding;
    const pod = podOf(finding);
    const where = pod === undefined ? "" : ` Pod ${pod}.`;
    const note = `${subject}: ${sentence(evidence)}${where} ${sentence(remedy)} (${severity}, ${id})`;
    const rest = { regarding, ...related, type: "Warning", reason: reasonOf(id), action: "Audit" } as const;
    happenings.set(findingKey(finding), { ...rest, note, identity: [id, subject, since] });
  }
  return happenings;
}

export type Finding = NodeAuditStatus["top"][number];

/** `protocols.plaintext-redis` becomes ProtocolsPlaintextRedis. */
export function reasonOf(id: string): string {
  const words = id.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const reason = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
  return reason === "" ? "Finding" : reason;
}

function driftNote({ by, what, repairedMilliseconds }: NonNullable<NonNullable<NodeStateStatus["drift"]>["last"]>) {
  const who = by ?? "Something on the node";
  const time = repairedMilliseconds === undefined ? "repaired" : `repaired in ${repairedMilliseconds} ms`;
  return `${who} changed ${what.join(", ") || "what is enforced"}; ${time}.`;
}

function driftKey(at: string): string {
  return `drift ${at}`;
}

export function findingKey({ id, subject, since }: Pick<FindingFacts, "id" | "subject" | "since">): string {
  return `${id} ${subject} ${since}`;
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
