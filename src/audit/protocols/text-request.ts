import { asciiLine, asText } from "./ascii.ts";
import { readHttp } from "./http.ts";
import type { Service } from "./service.ts";

/**
 * One request for two kinds of servers: HTTP answers it, Redis calls its first word an unknown command. HEAD changes nothing.
 * There is no Host header: Redis takes that for an attack and logs it.
 */
export const textRequest = "HEAD / HTTP/1.0\r\n\r\n";

/** What a server is by what it says to words that it may not understand; undefined where that tells nothing. */
export function readReply(bytes: Uint8Array): Service | undefined {
  const text = asText(bytes);
  if (/^-(?:ERR|NOAUTH|DENIED|MOVED|LOADING|MASTERDOWN) /.test(text)) {
    return { protocol: "Redis", encryption: "None", detail: asciiLine(text.split("\r", 1)[0] ?? "") };
  }
  return readHttp(bytes);
}
