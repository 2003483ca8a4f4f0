import type { NodeNetwork } from "../plan/connections.ts";
import { containsPrefix, type Prefix } from "../plan/prefix.ts";
import { parseAddress } from "../plan/prefix-lookup.ts";
import { parsePrefix } from "../plan/prefix-text.ts";
import { ToolError } from "./errors.ts";
import type { NodeAccess } from "./node-access.ts";

/** Addresses, listeners and routes by iproute2: it speaks netlink in the network namespace that it is run in. */
export async function observeNetwork(node: NodeAccess): Promise<NodeNetwork> {
  const [links, v4, v6, sockets] = await Promise.all([
    node.run("ip", ["-j", "addr", "show"]),
    node.run("ip", ["-j", "-4", "route", "show"]),
    node.run("ip", ["-j", "-6", "route", "show"]),
    node.run("ss", ["-Htln"]),
  ]);
  return {
    addresses: new Set(parseAddresses(links)),
    listening: new Set(parseListeners(sockets)),
    interfaceOf: routeLookup([...parseRoutes(v4, "0.0.0.0/0"), ...parseRoutes(v6, "::/0")]),
  };
}

/** Addresses whose way is remembered at a time. */
const REMEMBERED = 10_000;

interface Route {
  readonly destination: Prefix;
  readonly device: string;
}

export function parseAddresses(json: string): string[] {
  return recordsOf(json).flatMap(({ addr_info: infos }) =>
    (Array.isArray(infos) ? infos : []).flatMap((info: unknown) => textsOf(info, "local")),
  );
}

/** Lines of `ss -Htln`: state, two queue lengths, local and remote socket. */
export function parseListeners(text: string): number[] {
  return text.split("\n").flatMap((line) => {
    const port = /^\S+ +\d+ +\d+ +\S+:(\d+) /.exec(line)?.[1];
    return port === undefined ? [] : [Number(port)];
  });
}

/** Routes without a device (blackholes, several ways at once) lead nowhere in particular. */
export function parseRoutes(json: string, everywhere: string): Route[] {
  return recordsOf(json).flatMap((route) => {
    const [destination] = textsOf(route, "dst");
    const [device] = textsOf(route, "dev");
    if (destination === undefined || device === undefined) return [];
    const block = destination === "default" ? everywhere : destination;
    return [{ destination: block.includes("/") ? parsePrefix(block) : parseAddress(block), device }];
  });
}

/** The longest prefix wins; of equal ones the first, as `ip` lists them by metric. */
export function routeLookup(routes: readonly Route[]): (address: string) => string {
  const bySpecificity = routes.toSorted((a, b) => b.destination.length - a.destination.length);
  const known = new Map<string, string>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size >= REMEMBERED) known.clear();
    const one = parseAddress(address);
    const device = bySpecificity.find(({ destination }) => containsPrefix(destination, one))?.device ?? "";
    known.set(address, device);
    return device;
  };
}

function recordsOf(json: string): Readonly<Record<string, unknown>>[] {
  // Nothing at all is what `ip -j` prints for no route.
  const list: unknown = json.trim() === "" ? [] : JSON.parse(json);
  if (!Array.isArray(list)) throw new ToolError("ip", "printed no list");
  return list.filter((item: unknown): item is Record<string, unknown> => typeof item === "object" && item !== null);
}

function textsOf(record: unknown, key: string): string[] {
  const value = typeof record === "object" && record !== null ? (record as Record<string, unknown>)[key] : undefined;
  return typeof value === "string" ? [value] : [];
}
