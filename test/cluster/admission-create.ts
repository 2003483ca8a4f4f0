import { json } from "node:stream/consumers";
import type { Transport } from "../../src/kube/transport.ts";
import type { Refusal } from "../unit/api/objects/sample.ts";

const PLURALS: Readonly<Record<string, string>> = {
  PortHardeningPolicy: "porthardeningpolicies",
  PortHardeningNodeState: "porthardeningnodestates",
  PortHardeningAddressGroup: "porthardeningaddressgroups",
};

/** metav1.Status of an answer that is no success. */
interface Failure {
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message: string }[] };
}

/** Asks the API server to create the object, strictly and for show. undefined where it would. */
export async function tryCreate(wire: Transport, object: unknown): Promise<Failure | undefined> {
  const plural = PLURALS[(object as { kind: string }).kind];
  const answer = await wire.send({
    method: "POST",
    path: `/apis/porthardening.io/v1alpha1/${plural}?dryRun=All&fieldValidation=Strict`,
    body: JSON.stringify(object),
    contentType: "application/json",
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await json(answer)) as Failure;
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode < 300) return undefined;
  // 400: unknown fields; 422: everything else that an object may be refused for.
  if (statusCode === 400 || statusCode === 422) return body;
  throw new Error(`the API server answered ${statusCode}: ${body.message}`);
}

/** Every `field: message` that the API server names. */
export function problemsOf({ message, details }: Failure): string[] {
  const unknown = [...message.matchAll(/unknown field "([^"]*)"/g)].map(([text, field]) => `${field}: ${text}`);
  return [...unknown, ...(details?.causes ?? []).map((cause) => `${cause.field}: ${cause.message}`)];
}

/** What `problemsOf` must hold for this refusal: the field, then the text. */
export function expectedProblem({ field, serverField = field, says, serverSays = says }: Refusal): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal(serverField)}: .*${literal(serverSays)}`, "s");
}
