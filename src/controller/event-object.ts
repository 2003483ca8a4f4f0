import { printable } from "../api/printable.ts";
import { microTime } from "../kube/micro-time.ts";
import type { KubeObject } from "../kube/types.ts";
import { contentHash } from "../plan/content-hash.ts";

/** Bound of an Event's note, in bytes (Kubernetes, pkg/apis/core/validation/events.go). */
const NOTE_BYTES_MAX = 1024;
/** So that the name with its hash stays far below the 253 characters of a DNS subdomain. */
const NAME_PART_MAX = 180;
/** Events of cluster-scoped objects live here; `kubectl describe` finds them by kind, name, uid and an empty namespace. */
const EVENT_NAMESPACE = "default";

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Something that happened, for people. */
export interface Happening {
  readonly regarding: EventSubject;
  readonly related?: EventSubject;
  readonly type: "Normal" | "Warning";
  /** One word in CamelCase. */
  readonly reason: string;
  /** What was done. */
  readonly action: "Audit" | "Enforce" | "Repair";
  readonly note: string;
  /** What makes it this very happening, beside `regarding` and `reason`. The same again is the same Event. */
  readonly identity: readonly string[];
}

/** An Event of events.k8s.io/v1. Its name follows from what happened, so that it is there at most once. `instance` is of this controller. */
export function eventObject({ identity, ...happening }: Happening, instance: string, now: Date) {
  const { regarding, related, type, reason, action, note } = happening;
  const hash = contentHash([regarding.kind, regarding.uid, reason, ...identity], 20);
  const readable = regarding.name.slice(0, NAME_PART_MAX).replace(/[^a-z0-9]+$/, "");
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${readable}.${hash}`, namespace: EVENT_NAMESPACE },
    eventTime: microTime(now),
    reportingController: "porthardening.io/controller",
    reportingInstance: instance.slice(0, 128) || "controller",
    type,
    reason,
    action,
    regarding,
    ...(related === undefined ? {} : { related }),
    note: clipBytes(printable(note), NOTE_BYTES_MAX),
  } satisfies KubeObject & Readonly<Record<string, unknown>>;
}

/** `text` cut to so many bytes of UTF-8, never within a character. */
export function clipBytes(text: string, max: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return text;
  const ellipsis = "…";
  let end = max - Buffer.byteLength(ellipsis);
  // 10xxxxxx goes on with a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString() + ellipsis;
}
