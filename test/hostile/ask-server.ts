import { text } from "node:stream/consumers";
import type { Transport } from "../../src/kube/transport.ts";
import type { Mutation } from "./mutations.ts";

const PLURALS: Readonly<Record<string, string>> = {
  PortHardeningPolicy: "porthardeningpolicies",
  PortHardeningAddressGroup: "porthardeningaddressgroups",
};
const AT_ONCE = 8;

/** What the API server makes of an object: taken as `object`, with defaults, or refused with a reason. */
export type Answer = { readonly object: unknown } | { readonly refusal: string };

/** Asks the API server to create each object, strictly and for show. Throws where it answers neither yes nor no. */
export async function askServer(wire: Transport, mutations: readonly Mutation[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const queue = mutations.entries();
  const worker = async () => {
    for (const [index, one] of queue) answers[index] = await ask(wire, one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

async function ask(wire: Transport, { kind, what, text: body }: Mutation): Promise<Answer> {
  const answer = await wire.send({
    method: "POST",
    path: `/apis/porthardening.io/v1alpha1/${PLURALS[kind]}?dryRun=All&fieldValidation=Strict`,
    body,
    contentType: "application/json",
    signal: AbortSignal.timeout(60_000),
  });
  const said = await text(answer);
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode < 300) return { object: JSON.parse(said) };
  // 400: no such object or unknown fields; 422: everything else that an object may be refused for.
  if (statusCode === 400 || statusCode === 422) return { refusal: (JSON.parse(said) as { message: string }).message };
  throw new Error(`${kind} ${what}: the API server answered ${statusCode}: ${said.slice(0, 500)}`);
}
