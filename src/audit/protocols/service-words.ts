import { asciiLine } from "./ascii.ts";
import type { Service, TlsSeen } from "./service.ts";

const WORDS_MAX = 128;

/** What a listener speaks, in a line: `TLSv1.3 TLS_AES_256_GCM_SHA384, CN=www.example.com until 2027-01-02`. */
export function serviceWords({ protocol, encryption, detail, tls }: Service): string {
  const spoken = tls === undefined ? [] : [tlsWords(tls)];
  switch (encryption) {
    case "None":
      return line(`${protocol} in plain text`, detail);
    case "Offered":
      return line(`${protocol} in plain text, TLS offered`, ...spoken, detail);
    case "Unknown":
      return line(protocol === "Unknown" ? "not recognised" : protocol, detail);
    case "Always":
      // Its banner says which protocol it is.
      return protocol === "SSH" ? line(detail) : line(...(spoken.length === 0 ? [protocol, detail] : spoken));
  }
}

function tlsWords({ version, cipher, certificate }: TlsSeen): string {
  const served =
    certificate === undefined ? "" : `, ${certificate.subject || "no subject"} until ${dayOf(certificate.notAfter)}`;
  return `${version} ${cipher}${served}`;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function line(...parts: readonly string[]): string {
  return asciiLine(parts.filter((part) => part !== "").join(": "), WORDS_MAX);
}
