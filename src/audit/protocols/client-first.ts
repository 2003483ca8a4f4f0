import { asciiLine, asText } from "./ascii.ts";
import { ask } from "./hear.ts";
import type { Service } from "./service.ts";
import type { Conversation, Patience } from "./step.ts";
import { readReply, textRequest } from "./text-request.ts";
import { upgrade } from "./upgrade.ts";

/** What came of one attempt with a server that waits for its client to speak. */
export interface Attempt {
  readonly service: Service | undefined;
  /** What it said instead. */
  readonly bytes: Uint8Array;
  readonly closed: boolean;
}

/** A TLS record of a server: an alert, or a handshake that begins with ServerHello and is no echo of ours (RFC 8446, 4 and 5.1). */
function isTlsRecord(bytes: Uint8Array): boolean {
  return bytes[1] === 3 && (bytes[0] === 21 || (bytes[0] === 22 && bytes[5] === 2));
}

export function* tryTls(patience: Patience): Conversation<Attempt> {
  const answer = yield { kind: "StartTls", forMilliseconds: patience.handshakeMilliseconds };
  if (answer.kind === "Tls") {
    const { tls } = answer;
    return { service: { protocol: "TLS", encryption: "Always", detail: tls.version, tls }, bytes: none, closed: false };
  }
  if (answer.kind !== "NoTls") return { service: undefined, bytes: none, closed: answer.kind === "Closed" };
  const { bytes, reason } = answer;
  if (isTlsRecord(bytes)) {
    const detail = asciiLine(`refuses our handshake: ${reason}`);
    return { service: { protocol: "TLS", encryption: "Always", detail }, bytes: none, closed: true };
  }
  // An HTTP server calls a ClientHello a bad request: then there is no need to ask it in its own words.
  return { service: readReply(bytes), bytes, closed: reason === "closed" };
}

export function* tryText(patience: Patience): Conversation<Attempt> {
  const { bytes, closed } = yield* ask(textRequest, patience.answerMilliseconds, endsHead);
  return { service: readReply(bytes), bytes, closed };
}

/** memcached knows its own commands alone, and hangs up without a word on what looks like HTTP. */
export function* tryMemcached(patience: Patience): Conversation<Attempt> {
  const { bytes, closed } = yield* ask("version\r\n", patience.answerMilliseconds);
  const version = /^VERSION ([^\r\n]+)\r\n$/.exec(asText(bytes))?.[1];
  const service: Service | undefined =
    version === undefined
      ? readReply(bytes)
      : { protocol: "memcached", encryption: "None", detail: asciiLine(version) };
  return { service, bytes, closed };
}

/** SSLRequest: eight bytes, to which a server answers one: S (let us change to TLS) or N. */
const sslRequest = "\0\0\0\x08\x04\xd2\x16\x2f";

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
export function* tryPostgreSql(patience: Patience): Conversation<Attempt> {
  const { bytes, closed } = yield* ask(sslRequest, patience.answerMilliseconds, (it) => it.length > 0);
  const answer = asText(bytes);
  if (answer === "N") return { service: postgreSql("None", "without TLS"), bytes, closed };
  if (answer === "S") {
    const tls = yield* upgrade(patience);
    return { service: { ...postgreSql("Offered", "with TLS"), ...(tls && { tls }) }, bytes, closed };
  }
  // One that is older than SSLRequest, or shuts down, answers with an error message.
  if (/^E[^]{4}S?FATAL/.test(answer)) return { service: postgreSql("Unknown", "refuses us"), bytes, closed };
  return { service: readReply(bytes), bytes, closed };
}

function postgreSql(encryption: Service["encryption"], detail: string): Service {
  return { protocol: "PostgreSQL", encryption, detail };
}

/** The head of an HTTP answer, or a line of something else. */
function endsHead(bytes: Uint8Array): boolean {
  const text = asText(bytes);
  return text.startsWith("HTTP/") ? text.includes("\r\n\r\n") : text.endsWith("\n");
}

const none = new Uint8Array();
