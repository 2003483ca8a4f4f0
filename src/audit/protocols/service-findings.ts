import type { Severity } from "../../api/audit.ts";
import type { Finding } from "../finding.ts";
import { asciiLine } from "./ascii.ts";
import type { Protocol, Service } from "./service.ts";
import { tlsFindings } from "./tls-findings.ts";

interface Plaintext {
  readonly id: string;
  readonly severity: Severity;
  readonly remedy: string;
}

/** What goes over each in plain text, passwords in most, decides how bad that is. */
const plaintext: Partial<Record<Protocol, Plaintext>> = {
  HTTP: {
    id: "protocols.plaintext-http",
    severity: "medium",
    remedy: "Serve it over TLS, or let only loopback or a TLS proxy reach it",
  },
  FTP: {
    id: "protocols.plaintext-ftp",
    severity: "high",
    remedy: "Use SFTP, or require TLS (ssl_enable, force_local_logins_ssl)",
  },
  Telnet: { id: "protocols.plaintext-telnet", severity: "critical", remedy: "Remove the telnet server; use SSH" },
  SMTP: {
    id: "protocols.plaintext-smtp",
    severity: "medium",
    remedy: "Configure a certificate, so that the server offers STARTTLS",
  },
  Redis: {
    id: "protocols.plaintext-redis",
    severity: "high",
    remedy: "Set tls-port and port 0 in redis.conf, or bind it to loopback",
  },
  memcached: {
    id: "protocols.plaintext-memcached",
    severity: "high",
    remedy: "Start it with --enable-ssl, or bind it to loopback",
  },
  MySQL: {
    id: "protocols.plaintext-mysql",
    severity: "high",
    remedy: "Configure ssl_cert and ssl_key, and require_secure_transport=ON",
  },
  PostgreSQL: {
    id: "protocols.plaintext-postgresql",
    severity: "high",
    remedy: "Set ssl = on with a certificate, and hostssl in pg_hba.conf",
  },
};

/** What is wrong with a service that answers on a protected port. `subject` names the listener. Pure. */
export function serviceFindings(subject: string, service: Service, now: number): Finding[] {
  const { protocol, encryption, detail, tls } = service;
  const findings: Finding[] = [];
  const kind = plaintext[protocol];
  if (encryption === "None" && kind !== undefined) {
    findings.push({ ...kind, subject, evidence: `speaks ${protocol} without TLS: ${detail}` });
  }
  if (encryption === "Offered") {
    findings.push({
      id: "protocols.optional-tls",
      severity: "low",
      subject,
      evidence: `speaks ${protocol} in plain text and offers TLS: ${detail}`,
      remedy: "Make the server refuse clients that do not change to TLS",
    });
  }
  if (protocol === "SSH" && !/^SSH-(?:2\.0|1\.99)-/.test(detail)) findings.push(oldSsh(subject, detail, "speaks"));
  if (protocol === "SSH" && detail.startsWith("SSH-1.99-"))
    findings.push(oldSsh(subject, detail, "still accepts SSH 1 as"));
  if (encryption === "Unknown") findings.push(unrecognised(subject, service));
  if (protocol === "TLS" || tls !== undefined) findings.push(...tlsFindings(subject, service, now));
  return findings;
}

function oldSsh(subject: string, detail: string, how: string): Finding {
  return {
    id: "protocols.ssh-old-version",
    severity: "high",
    subject,
    evidence: `${how} ${detail}`,
    remedy: "Upgrade the SSH server to one that speaks version 2 alone",
  };
}

function unrecognised(subject: string, { protocol, detail }: Service): Finding {
  return {
    id: "protocols.unrecognised",
    severity: "info",
    subject,
    evidence: asciiLine(protocol === "Unknown" ? detail : `${protocol}, but it would not talk: ${detail}`, 200),
    remedy: "See what it speaks, and put the port into skipProbes where that is as it should be",
  };
}
