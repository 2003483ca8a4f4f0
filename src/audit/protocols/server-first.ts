import { asciiLine, asText, firstWords } from "./ascii.ts";
import { ftp } from "./ftp.ts";
import { endsReply } from "./hear.ts";
import type { Hint } from "./hint.ts";
import { isHttp2, readHttp2 } from "./http.ts";
import { isMySql, mySqlIsComplete, readMySql } from "./mysql.ts";
import type { Service } from "./service.ts";
import { smtp } from "./smtp.ts";
import type { Conversation, Patience } from "./step.ts";

/** Whether a greeting has all that is needed to tell what it is. */
export function isGreeting(bytes: Uint8Array): boolean {
  if (isTelnet(bytes)) return bytes.length >= 3;
  if (isMySql(bytes)) return mySqlIsComplete(bytes);
  if (isHttp2(bytes)) return true;
  const text = asText(bytes);
  return /^\d{3}[ -]/.test(text) ? endsReply(bytes) : text.endsWith("\n");
}

/** Goes on with a server that spoke first. */
export function* answerGreeting(greeting: Uint8Array, hint: Hint, patience: Patience): Conversation {
  const text = asText(greeting);
  // Other lines may come before it (RFC 4253, 4.2).
  const ssh = /^SSH-(\S+)-(.*)$/m.exec(text);
  if (ssh !== null) return { protocol: "SSH", encryption: "Always", detail: asciiLine(ssh[0]) };
  if (isTelnet(greeting)) return { protocol: "Telnet", encryption: "None", detail: "negotiates telnet options" };
  if (isMySql(greeting)) return readMySql(greeting);
  if (isHttp2(greeting)) return readHttp2();
  if (/^220[ -]/.test(text)) {
    if (/smtp/i.test(text) || (hint.likely === "SMTP" && !/ftp/i.test(text))) return yield* smtp(text, patience);
    return yield* ftp(text, patience);
  }
  return refusal(text) ?? { protocol: "Unknown", encryption: "Unknown", detail: `says ${firstWords(greeting)}` };
}

/** A mail or FTP server that greets with an error: busy, or it does not want us. */
function refusal(text: string): Service | undefined {
  if (!/^(?:421|5\d\d)[ -]/.test(text)) return undefined;
  const protocol = /smtp/i.test(text) ? "SMTP" : /ftp/i.test(text) ? "FTP" : undefined;
  return protocol && { protocol, encryption: "Unknown", detail: asciiLine(text.split("\n", 1)[0] ?? "") };
}

/** IAC with WILL, WONT, DO or DONT (RFC 854). */
function isTelnet(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && (bytes[1] ?? 0) >= 0xfb && (bytes[1] ?? 0) <= 0xfe;
}
