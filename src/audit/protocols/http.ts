import { asciiLine, asText } from "./ascii.ts";
import type { Service } from "./service.ts";

/** Undefined where these are not the words of an HTTP server. Of a body, cookie or other header nothing is kept. */
export function readHttp(bytes: Uint8Array): Service | undefined {
  if (isHttp2(bytes)) return readHttp2();
  const text = asText(bytes);
  const status = /^HTTP\/\d[^\r\n]*/.exec(text)?.[0];
  if (status === undefined) {
    // What an HTTP/1 server says to what it takes for HTTP/0.9.
    return /^\s*<(?:!doctype )?html/i.test(text)
      ? { protocol: "HTTP", encryption: "None", detail: "answers with HTML" }
      : undefined;
  }
  const server = /^server: *([^\r\n]+)/im.exec(text)?.[1];
  const redirects = /^location: *https:/im.test(text);
  const detail = [status, ...(server === undefined ? [] : [server]), ...(redirects ? ["redirects to https"] : [])];
  return { protocol: "HTTP", encryption: "None", detail: asciiLine(detail.join(", ")) };
}

/** An HTTP/2 connection without TLS begins with a SETTINGS frame on stream 0, six bytes a setting (RFC 9113, 6.5); gRPC servers send it at once. */
export function isHttp2(bytes: Uint8Array): boolean {
  const length = ((bytes[0] ?? 0) << 16) | ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0);
  return (
    bytes.length >= 9 &&
    bytes[3] === 4 &&
    bytes[4] === 0 &&
    length % 6 === 0 &&
    length <= 120 &&
    bytes.subarray(5, 9).every((byte) => byte === 0)
  );
}

export function readHttp2(): Service {
  return { protocol: "HTTP", encryption: "None", detail: "HTTP/2 without TLS" };
}
