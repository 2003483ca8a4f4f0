import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { urlToHttpOptions } from "node:url";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";

/** Watches hold one each; what is over the bound waits for a free one, within its own time-out. */
const MAX_CONNECTIONS = 64;
/** Below the API server's own idle time-out (90 s), so that a request seldom meets a connection just being closed. */
const IDLE_MILLISECONDS = 30_000;

export interface TransportRequest {
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  /** Bounds all of it, to the end of the answer's body. */
  readonly signal: AbortSignal;
}

/** Sends requests to the current cluster of a KubeConfig, over one pool of connections. */
export interface Transport {
  /** Resolves with the head of the answer; its body is still to be read. */
  send(request: TransportRequest): Promise<IncomingMessage>;
  /** Breaks what is under way. */
  close(): void;
}

/**
 * Credentials and CA are asked of `config` for each request: it re-reads token files and runs exec plugins again when they
 * expire. The pool gives a connection only to requests with the TLS settings it was made with (https.Agent, getName).
 *
 * node:https and not undici, whose WebAssembly parser and JavaScript take 18 MiB more of resident memory, on every node.
 * HTTP/1.1, because one broken HTTP/2 connection would take every watch with it.
 */
export function transport(config: KubeConfig, userAgent: string): Transport {
  const { hostname, port, prefix } = addressOf(config);
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MILLISECONDS });

  return {
    async send({ method, path, body, contentType, accept = "application/json", signal }) {
      const credentials = await credentialsOf(config, signal);
      const headers = {
        ...headersOf(credentials),
        accept,
        "user-agent": userAgent,
        ...(contentType === undefined ? {} : { "content-type": contentType }),
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
      };
      return new Promise((resolve, reject) => {
        const outgoing = request({
          ...credentials,
          agent,
          hostname,
          port,
          method,
          path: prefix + path,
          headers,
          signal,
        });
        // Listens on after the answer's head: what breaks then reaches whoever reads the body.
        outgoing.on("error", reject).on("response", resolve).end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Throws where there is no cluster, or one that cannot be reached so. */
function addressOf(config: KubeConfig) {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig has no current cluster");
  if (cluster.proxyUrl) throw new Error("the kubeconfig asks for a proxy (proxy-url), which is not supported");
  const url = new URL(cluster.server);
  if (url.protocol !== "https:") throw new Error(`the API server's address is not https: ${cluster.server}`);
  // Without the brackets of an IPv6 address.
  const { hostname, port } = urlToHttpOptions(url);
  return { hostname, port, prefix: url.pathname.replace(/\/$/, "") };
}

/** TLS settings and headers. An exec plugin may hang; its promise is left behind then. */
async function credentialsOf(config: KubeConfig, signal: AbortSignal): Promise<RequestOptions> {
  const credentials: RequestOptions = {};
  await new Promise<void>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    config
      .applyToHTTPSOptions(credentials)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
  return Object.fromEntries(Object.entries(credentials).filter(([, value]) => value !== undefined));
}

/** A token file may end with a newline, which no header may hold. */
function headersOf({ headers }: RequestOptions): Record<string, string> {
  const entries = headers === undefined || Array.isArray(headers) ? [] : Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name, `${value}`.trim()]));
}
