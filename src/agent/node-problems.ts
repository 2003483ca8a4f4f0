import { RIGHTS_REMEDY } from "../telemetry/missing-right.ts";
import type { Charges } from "./charges.ts";
import type { Disengagement } from "./disengage-file.ts";
import { disengagedProblem } from "./disengaged.ts";
import type { DriftGuard } from "./drift-guard.ts";
import type { NodeProblem } from "./node-status.ts";
import { messageOf, reasonOf } from "./outcomes.ts";

/** What is wrong with the node as a whole. `notSaved` and `unknown` (open connections) are errors. */
export function nodeProblems({
  fight,
  notSaved,
  unknown,
  disengagement,
  charges,
  refusals,
}: {
  readonly fight: ReturnType<DriftGuard["fight"]>;
  readonly notSaved: unknown;
  readonly unknown: unknown;
  readonly disengagement: Disengagement | undefined;
  readonly charges: readonly Charges[];
  readonly refusals: readonly string[];
}): NodeProblem[] {
  const found: NodeProblem[] = disengagement === undefined ? [] : [disengagedProblem(disengagement)];
  if (fight !== undefined) {
    const who = fight.by ?? "something unknown";
    const message = `repairs do not hold and come ever later: ${who} undoes them`;
    found.push({ type: "Drifting", reason: "RepairsDoNotHold", message });
  }
  if (notSaved !== undefined) {
    const message = `after a reboot without the API server an older state would be enforced: ${messageOf(notSaved)}`;
    found.push({ type: "StateNotSaved", reason: reasonOf(notSaved, "SaveFailed"), message });
  }
  if (unknown !== undefined) {
    const message = `connections that were open before are neither counted nor cut: ${messageOf(unknown)}`;
    found.push({ type: "ExistingUnknown", reason: reasonOf(unknown, "ReadFailed"), message });
  }
  // What is charged to policies stands at them.
  const other = charges.find(({ policies }) => policies.length === 0);
  if (other !== undefined) {
    const groups = other.groups.map(({ name }) => name).join(", ");
    const what =
      groups === "" ? "rules as this version writes them" : `address groups ${groups}: the content before stays`;
    found.push({
      type: "RolledBack",
      reason: groups === "" ? "Rules" : "AddressGroups",
      message: `${what}; ${other.message}`,
    });
  }
  if (refusals.length > 0) {
    const message = `what was seen last is enforced, and later changes are not seen: ${refusals.join("; ")}; ${RIGHTS_REMEDY}`;
    found.push({ type: "ChangesNotSeen", reason: "Forbidden", message });
  }
  return found;
}
