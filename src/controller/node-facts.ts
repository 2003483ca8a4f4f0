import type { KubeObject } from "../kube/types.ts";
import type { Labels } from "../plan/select.ts";
import { auditAsked } from "./audit-annotation.ts";
import { isSkipped } from "./skipped-nodes.ts";
import { fieldAt, recordsAt, stringsAt } from "./wire-fields.ts";

/** What the controller keeps of a Node. */
export interface NodeFacts {
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
  /** The kubelet says so; false also where it fell silent (the node controller then writes Unknown). */
  readonly ready: boolean;
  /** Each InternalIP, then each ExternalIP. */
  readonly addresses: readonly string[];
  readonly podCidrs: readonly string[];
  /** Its annotation that asks for an audit. */
  readonly auditAsked?: string | undefined;
  /** Its annotation has us leave it out. */
  readonly skipped?: true;
}

/** Total: a Node that could not be read would look like one that is gone. */
export function parseNodeFacts(object: KubeObject): NodeFacts {
  const { name, uid = "", labels = {} } = object.metadata;
  const status = fieldAt(object, "status");
  const asked = auditAsked(object.metadata);
  return {
    name,
    uid,
    labels,
    ready: recordsAt(status, "conditions").some(
      (condition) => condition["type"] === "Ready" && condition["status"] === "True",
    ),
    addresses: [...addressesOf(status, "InternalIP"), ...addressesOf(status, "ExternalIP")],
    podCidrs: stringsAt(fieldAt(object, "spec"), "podCIDRs"),
    ...(asked === undefined ? {} : { auditAsked: asked }),
    ...(isSkipped(object.metadata) ? { skipped: true } : {}),
  };
}

function addressesOf(status: unknown, wanted: "InternalIP" | "ExternalIP"): string[] {
  return recordsAt(status, "addresses").flatMap(({ type, address }) =>
    type === wanted && typeof address === "string" ? [address] : [],
  );
}
