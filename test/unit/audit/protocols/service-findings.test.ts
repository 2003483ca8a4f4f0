import { expect, it } from "vitest";
import type { CertificateSeen, Service } from "../../../../src/audit/protocols/service.ts";
import { serviceFindings } from "../../../../src/audit/protocols/service-findings.ts";

const now = Date.parse("2026-11-23T12:00:00Z");
const inDays = (days: number) => now + days * 86_400_000;

const ids = (service: Service) => serviceFindings("TCP 0.0.0.0:1234 x", service, now).map(({ id }) => id);

function withTls(certificate: Partial<CertificateSeen>, version = "TLSv1.3"): Service {
  const seen = { subject: "CN=a.example", issuer: "CN=ca", notAfter: inDays(80), selfSigned: false, ...certificate };
  return { protocol: "TLS", encryption: "Always", detail: version, tls: { version, cipher: "X", certificate: seen } };
}

const service = (protocol: Service["protocol"], encryption: Service["encryption"], detail = "x"): Service => ({
  protocol,
  encryption,
  detail,
});

it.each<[string, Service, string[]]>([
  ["TLS 1.3 with a good certificate", withTls({}), []],
  ["TLS 1.2", withTls({}, "TLSv1.2"), []],
  ["TLS 1.1", withTls({}, "TLSv1.1"), ["protocols.tls-old-version"]],
  ["an expired certificate", withTls({ notAfter: inDays(-1) }), ["protocols.tls-expired"]],
  ["a certificate of which three weeks are left", withTls({ notAfter: inDays(20) }), ["protocols.tls-expires-soon"]],
  ["a certificate with a month left", withTls({ notAfter: inDays(30) }), []],
  [
    "a self-signed, expired one",
    withTls({ notAfter: inDays(-400), selfSigned: true }),
    ["protocols.tls-expired", "protocols.tls-self-signed"],
  ],
  ["TLS that refuses us", service("TLS", "Always"), ["protocols.tls-unseen"]],
  ["SSH 2", service("SSH", "Always", "SSH-2.0-OpenSSH_9.2p1"), []],
  ["SSH 1.99", service("SSH", "Always", "SSH-1.99-OpenSSH_3.9"), ["protocols.ssh-old-version"]],
  ["SSH 1.5", service("SSH", "Always", "SSH-1.5-Cisco-1.25"), ["protocols.ssh-old-version"]],
  ["HTTP", service("HTTP", "None"), ["protocols.plaintext-http"]],
  ["FTP", service("FTP", "None"), ["protocols.plaintext-ftp"]],
  ["telnet", service("Telnet", "None"), ["protocols.plaintext-telnet"]],
  ["SMTP", service("SMTP", "None"), ["protocols.plaintext-smtp"]],
  ["Redis", service("Redis", "None"), ["protocols.plaintext-redis"]],
  ["memcached", service("memcached", "None"), ["protocols.plaintext-memcached"]],
  ["MySQL", service("MySQL", "None"), ["protocols.plaintext-mysql"]],
  ["PostgreSQL", service("PostgreSQL", "None"), ["protocols.plaintext-postgresql"]],
  ["StartTLS, as what it is", service("SMTP", "Offered"), ["protocols.optional-tls"]],
  [
    "StartTLS with an expired certificate",
    { ...withTls({ notAfter: inDays(-3) }), protocol: "FTP", encryption: "Offered" },
    ["protocols.optional-tls", "protocols.tls-expired"],
  ],
  ["a server that nobody recognised", service("Unknown", "Unknown"), ["protocols.unrecognised"]],
  ["MySQL that would not talk to us", service("MySQL", "Unknown"), ["protocols.unrecognised"]],
])("judges %s", (_, it, expected) => {
  expect(ids(it)).toEqual(expected);
});

it("keeps evidence and remedy inside their bounds", () => {
  const long = "x".repeat(400);
  const services = [
    withTls({ subject: long, notAfter: inDays(-1), selfSigned: true }),
    service("Unknown", "Unknown", long),
  ];
  for (const finding of services.flatMap((it) => serviceFindings("s", it, now))) {
    expect(finding.evidence.length).toBeLessThanOrEqual(200);
    expect(finding.remedy.length).toBeLessThanOrEqual(200);
  }
});
