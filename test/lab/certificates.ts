import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** PEM files of a key pair and its certificate. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A certificate authority in `folder`, valid for days only: it signs for one run. */
export async function createAuthority(folder: string): Promise<Certificate> {
  const authority = files(folder, "ca");
  const out = ["-keyout", authority.key, "-out", authority.certificate];
  await execa("openssl", ["req", "-x509", ...newKey, ...out, "-days", "7", "-subj", "/CN=port-hardening-lab"]);
  return authority;
}

/** Signs for `subject` (`/O=system:masters/CN=admin`); `names` are subject alternative names as openssl writes them. */
export async function signCertificate(
  folder: string,
  authority: Certificate,
  request: {
    readonly file: string;
    readonly subject: string;
    readonly names?: readonly string[];
    readonly days?: number;
  },
): Promise<Certificate> {
  const signed = files(folder, request.file);
  const csr = join(folder, `${request.file}.csr`);
  const extensions = join(folder, `${request.file}.ext`);
  const names = request.names === undefined ? "" : `subjectAltName=${request.names.join(",")}\n`;
  await writeFile(extensions, `extendedKeyUsage=clientAuth,serverAuth\n${names}`);
  await execa("openssl", ["req", ...newKey, "-keyout", signed.key, "-out", csr, "-subj", request.subject]);
  // Not -CAcreateserial: several may be signed at a time.
  const serial = `0x${randomBytes(16).toString("hex")}`;
  const by = ["-CA", authority.certificate, "-CAkey", authority.key, "-set_serial", serial];
  const out = ["-out", signed.certificate, "-days", `${request.days ?? 7}`, "-extfile", extensions];
  await execa("openssl", ["x509", "-req", "-in", csr, ...by, ...out]);
  return signed;
}

function files(folder: string, name: string): Certificate {
  return { key: join(folder, `${name}.key`), certificate: join(folder, `${name}.crt`) };
}
