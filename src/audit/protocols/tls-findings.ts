import type { Finding } from "../finding.ts";
import { asciiLine } from "./ascii.ts";
import type { CertificateSeen, Service } from "./service.ts";

const MILLISECONDS_A_DAY = 86_400_000;

/** Automatic renewal comes about 30 days before the end (certbot, cert-manager: a third of the life); by now it has failed. */
const SOON_DAYS = 21;

/** Versions that RFC 8996 forbids. */
const old = new Set(["SSLv3", "TLSv1", "TLSv1.1"]);

/** What is wrong with the TLS of a service. The version is the server's best: that it takes older clients too is not seen. */
export function tlsFindings(subject: string, { detail, tls }: Service, now: number): Finding[] {
  if (tls?.certificate === undefined) return [unseen(subject, tls === undefined ? detail : "no certificate")];
  const findings = certificateFindings(subject, tls.certificate, now);
  if (!old.has(tls.version)) return findings;
  const oldVersion: Finding = {
    id: "protocols.tls-old-version",
    severity: "high",
    subject,
    evidence: `the best it speaks is ${tls.version}, ${tls.cipher}`,
    remedy: "Enable TLS 1.2 and 1.3, and disable what is older",
  };
  return [oldVersion, ...findings];
}

function certificateFindings(subject: string, certificate: CertificateSeen, now: number): Finding[] {
  const findings: Finding[] = [];
  const end = new Date(certificate.notAfter).toISOString().slice(0, 10);
  const days = Math.floor((certificate.notAfter - now) / MILLISECONDS_A_DAY);
  const name = asciiLine(certificate.subject || "a certificate without subject");
  const remedy = "Renew the certificate, and see why nobody did";
  if (days < 0) {
    const evidence = `${name} expired on ${end}`;
    findings.push({ id: "protocols.tls-expired", severity: "high", subject, evidence, remedy });
  } else if (days < SOON_DAYS) {
    const evidence = `${name} expires on ${end}, in ${days} days`;
    findings.push({ id: "protocols.tls-expires-soon", severity: "medium", subject, evidence, remedy });
  }
  if (certificate.selfSigned) {
    findings.push({
      id: "protocols.tls-self-signed",
      severity: "low",
      subject,
      evidence: `${name} is signed with its own key`,
      remedy: "Use a certificate of an authority that its clients know",
    });
  }
  return findings;
}

/** TLS it is, but how good cannot be told from outside. */
function unseen(subject: string, why: string): Finding {
  return {
    id: "protocols.tls-unseen",
    severity: "info",
    subject,
    evidence: `TLS, but version and certificate were not shown: ${why}`,
    remedy: "Check version and certificate by hand: openssl s_client with the name or certificate it asks for",
  };
}
