import { asciiLine, asText } from "./ascii.ts";
import { ask, endsReply, takeLeave } from "./hear.ts";
import type { Conversation, Patience } from "./step.ts";
import { upgrade } from "./upgrade.ts";

/** Asks a mail server what it can (EHLO), and looks at its TLS where it offers StartTLS (RFC 3207). No mail is begun. */
export function* smtp(greeting: string, patience: Patience): Conversation {
  const detail = asciiLine(greeting.slice(4).split("\n", 1)[0] ?? "");
  const { bytes } = yield* ask("EHLO localhost\r\n", patience.answerMilliseconds, endsReply);
  const answer = asText(bytes);
  if (!answer.startsWith("250")) {
    yield* takeLeave("QUIT\r\n");
    return { protocol: "SMTP", encryption: "Unknown", detail };
  }
  if (!/^250[ -]STARTTLS\s*$/im.test(answer)) {
    yield* takeLeave("QUIT\r\n");
    return { protocol: "SMTP", encryption: "None", detail };
  }
  const { bytes: ready } = yield* ask("STARTTLS\r\n", patience.answerMilliseconds, endsReply);
  const tls = asText(ready).startsWith("220") ? yield* upgrade(patience) : undefined;
  yield* takeLeave("QUIT\r\n");
  return { protocol: "SMTP", encryption: "Offered", detail, ...(tls && { tls }) };
}
