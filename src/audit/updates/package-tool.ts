import type { HostView } from "../host-view.ts";

/** Who keeps the host's software up to date. */
export type PackageTool =
  | { readonly name: "apt"; readonly distribution: string }
  | { readonly name: "dnf4" | "dnf5"; readonly distribution: string }
  | { readonly name: "none"; readonly reason: string };

/** os-release IDs of systems that are replaced as a whole: they have no packages that could be pending. */
const imageBased = new Set(["talos", "flatcar", "bottlerocket", "cos", "kairos", "elemental", "nixos"]);

export async function findPackageTool(host: HostView): Promise<PackageTool> {
  const text = (await host.readFile("/etc/os-release")) ?? (await host.readFile("/usr/lib/os-release"));
  if (text === undefined) return { name: "none", reason: "no os-release: which system this is is unknown" };
  const fields = parseOsRelease(text);
  const distribution = fields.get("ID") ?? "linux";
  const title = fields.get("PRETTY_NAME") ?? distribution;
  if (imageBased.has(distribution)) {
    return { name: "none", reason: `${title} is updated as a whole image: ask its own update service` };
  }
  if (await isThere(host, "/run/ostree-booted")) {
    return { name: "none", reason: `${title} is updated as a whole image by rpm-ostree: ask rpm-ostree status` };
  }
  if (await isThere(host, "/usr/bin/apt-get")) return { name: "apt", distribution };
  if (await isThere(host, "/usr/bin/dnf5")) return { name: "dnf5", distribution };
  if (await isThere(host, "/usr/bin/dnf")) return { name: "dnf4", distribution };
  return { name: "none", reason: `${title} has neither apt nor dnf` };
}

/** Without reading it: it may be a program. */
export async function isThere(host: HostView, path: string): Promise<boolean> {
  return (await host.modifiedAt(path)) !== undefined;
}

/** os-release(5): shell assignments, values bare or quoted. */
function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Z0-9_]+)=(["']?)(.*)\2\s*$/.exec(line);
    if (match?.[1] !== undefined && match[3] !== undefined) fields.set(match[1], match[3]);
  }
  return fields;
}
