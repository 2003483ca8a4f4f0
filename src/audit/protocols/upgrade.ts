import type { TlsSeen } from "./service.ts";
import type { Conversation, Patience } from "./step.ts";

/** Changes a connection that began in plain text to TLS; undefined where that fails after all. */
export function* upgrade({ handshakeMilliseconds }: Patience): Conversation<TlsSeen | undefined> {
  const answer = yield { kind: "StartTls", forMilliseconds: handshakeMilliseconds };
  return answer.kind === "Tls" ? answer.tls : undefined;
}
