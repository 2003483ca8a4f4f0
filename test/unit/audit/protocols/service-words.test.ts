import { expect, it } from "vitest";
import type { Service, TlsSeen } from "../../../../src/audit/protocols/service.ts";
import { serviceWords } from "../../../../src/audit/protocols/service-words.ts";

const tls: TlsSeen = {
  version: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  certificate: {
    subject: "CN=www.example.com",
    issuer: "CN=ca",
    notAfter: Date.parse("2027-01-02T03:04:05Z"),
    selfSigned: false,
  },
};

it.each<[Service, string]>([
  [
    { protocol: "TLS", encryption: "Always", detail: "TLSv1.3", tls },
    "TLSv1.3 TLS_AES_256_GCM_SHA384, CN=www.example.com until 2027-01-02",
  ],
  [{ protocol: "TLS", encryption: "Always", detail: "handshake_failure" }, "TLS: handshake_failure"],
  [{ protocol: "SSH", encryption: "Always", detail: "SSH-2.0-OpenSSH_9.2p1" }, "SSH-2.0-OpenSSH_9.2p1"],
  [
    { protocol: "HTTP", encryption: "None", detail: "HTTP/1.1 200 OK, nginx/1.22.1" },
    "HTTP in plain text: HTTP/1.1 200 OK, nginx/1.22.1",
  ],
  [
    { protocol: "SMTP", encryption: "Offered", detail: "220 mail ESMTP", tls: { ...tls, certificate: undefined } },
    "SMTP in plain text, TLS offered: TLSv1.3 TLS_AES_256_GCM_SHA384: 220 mail ESMTP",
  ],
  [{ protocol: "Unknown", encryption: "Unknown", detail: "says nothing" }, "not recognised: says nothing"],
])("says in a line what a listener speaks: %j", (service, words) => {
  expect(serviceWords(service)).toBe(words);
});

it("keeps to a line that a status can hold, whatever a certificate says of itself", () => {
  const certificate = { subject: `CN=\u001b[31m${"x".repeat(500)}\n`, issuer: "", notAfter: 0, selfSigned: true };
  const words = serviceWords({ protocol: "TLS", encryption: "Always", detail: "", tls: { ...tls, certificate } });
  expect(words).toMatch(/^[\x20-\x7e]{128}$/);
});
