import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import type { Host } from "./host.ts";
import { hasAnswer } from "./tcp-answer.ts";

/** One way that a node needs, tried by something new: a connection or a question, never one that stood before. */
export interface NodeProbe {
  /** `API server 10.0.0.1:6443`; the same for the same way. */
  readonly name: string;
  /** Whether the other end answered in time. Never throws. */
  passes(timeoutMilliseconds: number): Promise<boolean>;
}

export interface NodeProbesOptions {
  readonly host: Pick<Host, "readFile" | "run">;
  /** Where the agent itself finds it; undefined: there is none. */
  readonly apiServer: { readonly host: string; readonly port: number } | undefined;
  /** Where resolv.conf is looked for, in this order: the servers behind systemd-resolved's own come first. */
  readonly resolverFiles: readonly string[];
}

const KUBELET_PORT = 10250;
const DNS_PORT = 53;
const SERVERS_MAX = 3;

/** The ways of this moment. */
export async function nodeProbes({ host, apiServer, resolverFiles }: NodeProbesOptions): Promise<NodeProbe[]> {
  const servers = parseNameServers(await firstFile(host, resolverFiles));
  const gateways = await defaultGateways(host);
  return [
    ...(apiServer === undefined ? [] : [apiServerProbe(apiServer)]),
    {
      name: `kubelet on port ${KUBELET_PORT}`,
      passes: (timeout) => hasAnswer({ host: "127.0.0.1", port: KUBELET_PORT }, timeout, "Open"),
    },
    ...servers.map(dnsProbe),
    // A port that is never judged outbound, so it is the way that is measured; that nobody listens there is an answer too.
    ...gateways.map((gateway) => ({
      name: `gateway ${gateway}`,
      passes: (timeout: number) => hasAnswer({ host: gateway, port: DNS_PORT }, timeout, "OpenOrRefused"),
    })),
  ];
}

function apiServerProbe(at: { readonly host: string; readonly port: number }): NodeProbe {
  return { name: `API server ${at.host}:${at.port}`, passes: (timeout) => hasAnswer(at, timeout, "Open") };
}

/** Any answer will do, also that there is no such name: the root's servers, which every resolver knows. */
function dnsProbe(server: string): NodeProbe {
  return {
    name: `DNS server ${server}`,
    async passes(timeout) {
      const resolver = new Resolver({ timeout: timeout * 2, tries: 1 });
      resolver.setServers([server]);
      const timer = setTimeout(() => setImmediate(() => resolver.cancel()), timeout);
      try {
        await resolver.resolveNs(".");
        return true;
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        return code !== "ETIMEOUT" && code !== "ECONNREFUSED" && code !== "ECANCELLED";
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** `nameserver` lines of resolv.conf(5). */
export function parseNameServers(text: string): string[] {
  const servers = [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = ""]) => address);
  // An address with a zone is one of a link; c-ares takes it for no address.
  return [...new Set(servers.filter((address) => isIP(address) !== 0 && !address.includes("%")))].slice(0, SERVERS_MAX);
}

/** What `ip -j route show default` prints. */
export function parseGateways(json: string): string[] {
  const routes: unknown = json.trim() === "" ? [] : JSON.parse(json);
  const gateways = (Array.isArray(routes) ? routes : []).flatMap((route: { readonly gateway?: unknown }) =>
    typeof route.gateway === "string" && !route.gateway.startsWith("fe80:") ? [route.gateway] : [],
  );
  return [...new Set(gateways)];
}

async function defaultGateways({ run }: Pick<Host, "run">): Promise<string[]> {
  const families = await Promise.all(
    ["-4", "-6"].map((family) =>
      run("ip", ["-j", family, "route", "show", "default"], { timeoutMilliseconds: 5_000 }).then(
        ({ stdout }) => parseGateways(stdout),
        // What cannot be probed does not count.
        () => [],
      ),
    ),
  );
  return families.flat();
}

async function firstFile({ readFile }: Pick<Host, "readFile">, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path).catch(() => undefined);
    if (text !== undefined) return text;
  }
  return "";
}
