import type { Practice } from "../api/audit.ts";

/** By the first part of a finding's id; `updates` stands for two practices. */
const BY_SUBJECT: Readonly<Record<string, Practice>> = {
  listeners: "listeners",
  connections: "capacity",
  confinement: "accessControl",
  updates: "pendingUpdates",
  protocols: "protocols",
  exposure: "exposure",
};

/** The practice that a finding is for; undefined for one that only a newer agent knows. */
export function practiceOf(id: string): Practice | undefined {
  return id.startsWith("updates.automatic") ? "automaticUpdates" : BY_SUBJECT[id.split(".", 1)[0] ?? ""];
}
