import { asciiLine, asText } from "./ascii.ts";
import { ask, endsReply, takeLeave } from "./hear.ts";
import type { Conversation, Patience } from "./step.ts";
import { upgrade } from "./upgrade.ts";

/** Asks an FTP server what it can (FEAT, RFC 2389), and looks at its TLS where it offers that (AUTH TLS, RFC 4217). No login. */
export function* ftp(greeting: string, patience: Patience): Conversation {
  const detail = asciiLine(greeting.slice(4).split("\n", 1)[0] ?? "");
  const { bytes } = yield* ask("FEAT\r\n", patience.answerMilliseconds, endsReply);
  if (!/^ *AUTH .*TLS/im.test(asText(bytes))) {
    yield* takeLeave("QUIT\r\n");
    return { protocol: "FTP", encryption: "None", detail };
  }
  const { bytes: ready } = yield* ask("AUTH TLS\r\n", patience.answerMilliseconds, endsReply);
  const tls = asText(ready).startsWith("234") ? yield* upgrade(patience) : undefined;
  yield* takeLeave("QUIT\r\n");
  return { protocol: "FTP", encryption: "Offered", detail, ...(tls && { tls }) };
}
