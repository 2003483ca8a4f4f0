import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

export interface HealthServerOptions {
  readonly host: string;
  /** 0 picks a free port: see `HealthServer.port`. */
  readonly port: number;
  /** Why this process is not ready to do its work; empty = ready. */
  readonly ready: () => readonly string[];
  readonly registry: Registry;
  /** Runs before each answer to `/metrics`, for what is measured on demand. */
  readonly collect?: () => Promise<void>;
}

export interface HealthServer {
  readonly port: number;
  /** Ends open connections too; resolves when the port is free. */
  close(): Promise<void>;
}

/** `/healthz` (the process answers), `/readyz` (503 and the reasons, one a line) and `/metrics`. Rejects where the port is taken. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    void answer(request, response, options);
  });
  server.maxConnections = 64;
  server.listen(options.port, options.host);
  await once(server, "listening");
  // Always an AddressInfo for a TCP listener; a string only for a pipe.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { ready, registry, collect }: HealthServerOptions,
): Promise<void> {
  const reply = (status: number, body: string, type = "text/plain; charset=utf-8"): void => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  if (request.method !== "GET" && request.method !== "HEAD") return reply(405, "only GET\n");
  try {
    switch ((request.url ?? "/").split("?")[0]) {
      case "/healthz":
        return reply(200, "ok\n");
      case "/readyz": {
        const reasons = ready();
        return reasons.length === 0 ? reply(200, "ok\n") : reply(503, `${reasons.join("\n")}\n`);
      }
      case "/metrics":
        await collect?.();
        return reply(200, await registry.metrics(), registry.contentType);
      default:
        return reply(404, "try /healthz, /readyz or /metrics\n");
    }
  } catch (error) {
    // A collector that throws must not take the process down; the scraper sees the reason.
    reply(500, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}
