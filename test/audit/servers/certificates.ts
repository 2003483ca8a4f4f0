import { join } from "node:path";
import { execa } from "execa";

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Certificates in `folder`, each as NAME.crt and NAME.key: `good` and `expired` (yesterday) of one authority, and `self-signed`. */
export async function createCertificates(folder: string): Promise<void> {
  const path = (name: string) => join(folder, name);
  const selfSign = (name: string) =>
    execa("openssl", [
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.crt`),
      "-days",
      "90",
      "-subj",
      `/CN=${name}.example`,
    ]);
  await selfSign("ca");
  await selfSign("self-signed");
  for (const [name, days] of [
    ["good", "90"],
    ["expired", "-1"],
  ] as const) {
    await execa("openssl", [
      "req",
      ...newKey,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.csr`),
      "-subj",
      `/CN=${name}.example`,
    ]);
    const by = ["-CA", path("ca.crt"), "-CAkey", path("ca.key"), "-CAcreateserial"];
    await execa("openssl", [
      "x509",
      "-req",
      "-in",
      path(`${name}.csr`),
      ...by,
      "-out",
      path(`${name}.crt`),
      "-days",
      days,
    ]);
  }
}
