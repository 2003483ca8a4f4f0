import { asBytes, asText } from "../../../../src/audit/protocols/ascii.ts";
import { converse } from "../../../../src/audit/protocols/converse.ts";
import type { Hint } from "../../../../src/audit/protocols/hint.ts";
import type { Service, TlsSeen } from "../../../../src/audit/protocols/service.ts";
import { type Answer, defaultPatience, type Step } from "../../../../src/audit/protocols/step.ts";

/** A server that says what a real one was recorded saying. */
export interface ScriptedServer {
  /** Said at once. In pieces, where a list. */
  readonly greeting?: string | readonly string[];
  /** To what a client says; undefined is silence, `null` hangs up without a word. */
  readonly answer?: (said: string) => string | null | undefined;
  /** What a handshake shows, or what the server says to a ClientHello; `null` hangs up. */
  readonly tls?: TlsSeen | string | null;
  /** Only after a StartTls command. */
  readonly tlsAfter?: string;
}

export interface Talk {
  readonly service: Service;
  /** What was done, in words: `connect`, `listen`, `say EHLO localhost`, `tls`. */
  readonly steps: readonly string[];
}

const silence: Answer = { kind: "Silence" };

export function talk(server: ScriptedServer, likely?: Hint["likely"]): Talk {
  const steps: string[] = [];
  let connection = connect(server);
  const conversation = converse({ likely }, defaultPatience);
  let turn = conversation.next();
  while (turn.done !== true) {
    if (steps.length > 50) throw new Error("the conversation has no end");
    const step = turn.value;
    steps.push(wordsOf(step));
    if (step.kind === "Connect") connection = connect(server);
    turn = conversation.next(step.kind === "Connect" ? { kind: "Connected" } : connection(step));
  }
  return { service: turn.value, steps };
}

function connect(server: ScriptedServer): (step: Step) => Answer {
  const pieces = [...(typeof server.greeting === "string" ? [server.greeting] : (server.greeting ?? []))];
  let tlsMayStart = server.tlsAfter === undefined;
  return (step) => {
    if (step.kind === "Listen") {
      const piece = pieces.shift();
      return piece === undefined ? silence : { kind: "Bytes", bytes: asBytes(piece) };
    }
    if (step.kind === "StartTls") return tlsMayStart ? handshake(server.tls) : silence;
    if (step.kind !== "Send") return silence;
    const said = asText(step.bytes);
    if (said.trim() === server.tlsAfter) tlsMayStart = true;
    const answer = server.answer?.(said);
    if (answer === null) return { kind: "Closed" };
    return answer === undefined ? silence : { kind: "Bytes", bytes: asBytes(answer) };
  };
}

function handshake(tls: ScriptedServer["tls"]): Answer {
  if (tls === null) return { kind: "NoTls", bytes: new Uint8Array(), reason: "closed" };
  if (tls === undefined) return { kind: "NoTls", bytes: new Uint8Array(), reason: "no answer within 3000 ms" };
  if (typeof tls === "string") return { kind: "NoTls", bytes: asBytes(tls), reason: "WRONG_VERSION_NUMBER" };
  return { kind: "Tls", tls };
}

function wordsOf(step: Step): string {
  if (step.kind === "Send") return `say ${JSON.stringify(asText(step.bytes)).slice(1, -1)}`;
  return step.kind === "StartTls" ? "tls" : step.kind.toLowerCase();
}
