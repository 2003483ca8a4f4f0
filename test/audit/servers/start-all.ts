import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../../lab/hosts.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { createCertificates } from "./certificates.ts";
import { configurations, programs } from "./configurations.ts";
import { startServer } from "./server-root.ts";

/** Real servers, by name, listening on the host: those named, or every one. */
export async function startServers(host: Host, names?: readonly string[]): Promise<ReadonlyMap<string, LabProcess>> {
  const certificates = join(host.folder, "certificates");
  await mkdir(certificates);
  await createCertificates(certificates);
  await host.exec("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(certificates, "ssh_host_key")]);
  const wanted = programs(host.ipv4).filter(({ name }) => names?.includes(name) ?? true);
  const started = wanted.map(async (program) => {
    const folder = join(host.folder, program.name);
    await mkdir(folder);
    for (const file of await readdir(certificates)) await copyFile(join(certificates, file), join(folder, file));
    for (const [file, text] of Object.entries(configurations[program.name] ?? {}))
      await writeFile(join(folder, file), text);
    return [program.name, await startServer(host, program)] as const;
  });
  return new Map(await Promise.all(started));
}
