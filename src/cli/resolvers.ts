import { lookup } from "node:dns/promises";
import { join } from "node:path";

/** Where the host's resolv.conf is looked for: behind systemd-resolved's own address first. */
export function resolverFiles(hostRoot: string): readonly string[] {
  return ["run/systemd/resolve/resolv.conf", "etc/resolv.conf"].map((path) => join(hostRoot, path));
}

/** Every address that this host knows for a name. */
export async function resolveName(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
