import { json } from "node:stream/consumers";
import type { Transport } from "../../src/kube/transport.ts";
import type { Refusal } from "../unit/api/objects/sample.ts";

const PLURALS: Readonly<Record<string, string>> = {
  PortHardeningPolicy: "porthardeningpolicies",
  PortHardeningNodeState: "porthardeningnodestates",
  PortHardeningAddressGroup: "porthardeningaddressgroups",
  PortHardeningPodRange: "porthardeningpodranges",
};

/** metav1.Status of an answer that is no success. */
interface Failure {
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message: string }[] };
}

/** Asks the API server to create the object, strictly and for show. undefined where it would. */
export function tryCreate(wire: Transport, object: unknown): Promise<Failure | undefined> {
  return ask(wire, { method: "POST", kind: kindOf(object), contentType: "application/json", body: object });
}

/** The same of the status of an object of this name, which is there. */
export function tryStatus(wire: Transport, name: string, object: unknown): Promise<Failure | undefined> {
  const { status } = object as { readonly status: unknown };
  const body = { status };
  const contentType = "application/merge-patch+json";
  return ask(wire, { method: "PATCH", kind: kindOf(object), tail: `/${name}/status`, contentType, body });
}

function kindOf(object: unknown): string {
  return (object as { readonly kind: string }).kind;
}

async function ask(
  wire: Transport,
  call: {
    readonly method: string;
    readonly kind: string;
    readonly tail?: string;
    readonly contentType: string;
    readonly body: unknown;
  },
): Promise<Failure | undefined> {
  const { method, kind, tail = "", contentType } = call;
  const answer = await wire.send({
    method,
    path: `/apis/porthardening.io/v1alpha1/${PLURALS[kind]}${tail}?dryRun=All&fieldValidation=Strict`,
    body: JSON.stringify(call.body),
    contentType,
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
