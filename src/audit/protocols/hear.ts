import { asBytes, asText } from "./ascii.ts";
import type { Conversation, Step } from "./step.ts";

/** More than any greeting; what comes beyond is not kept. */
const MAXIMUM_BYTES = 4_096;
/** How long to wait for the rest of what has begun. */
const REST_MILLISECONDS = 500;

export interface Heard {
  readonly bytes: Uint8Array;
  /** The server ended the connection. */
  readonly closed: boolean;
}

/** Listens until what arrived is complete, the server falls silent or it hangs up. */
export function* hear(forMilliseconds: number, isComplete: (bytes: Uint8Array) => boolean): Conversation<Heard> {
  return yield* gather({ kind: "Listen", forMilliseconds }, isComplete);
}

/** Says something and hears the answer, up to a line's end unless told otherwise. */
export function* ask(words: string, forMilliseconds: number, isComplete = endsLine): Conversation<Heard> {
  return yield* gather({ kind: "Send", bytes: asBytes(words), forMilliseconds }, isComplete);
}

/** Says something last, and waits for nothing: servers log a client that leaves without a word. */
export function* takeLeave(words: string): Conversation<void> {
  yield { kind: "Send", bytes: asBytes(words), forMilliseconds: 0 };
}

function* gather(first: Step, isComplete: (bytes: Uint8Array) => boolean): Conversation<Heard> {
  let bytes: Uint8Array = new Uint8Array();
  let step = first;
  for (;;) {
    const answer = yield step;
    if (answer.kind !== "Bytes") return { bytes, closed: answer.kind === "Closed" };
    bytes = Uint8Array.from([...bytes, ...answer.bytes.subarray(0, MAXIMUM_BYTES - bytes.length)]);
    if (isComplete(bytes) || bytes.length >= MAXIMUM_BYTES) return { bytes, closed: false };
    step = { kind: "Listen", forMilliseconds: REST_MILLISECONDS };
  }
}

function endsLine(bytes: Uint8Array): boolean {
  return bytes.at(-1) === 0x0a;
}

/** A reply of FTP or SMTP ends with a line whose code is followed by a blank: `250-SIZE`, `250 HELP` (RFC 5321, 4.2.1; RFC 959, 4.2). */
export function endsReply(bytes: Uint8Array): boolean {
  return /^\d{3} .*\r?\n$/m.test(asText(bytes));
}
