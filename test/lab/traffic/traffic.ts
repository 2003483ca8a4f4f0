import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NetworkNamespace } from "../network-namespace.ts";
import type { Attempt, AttemptResult, Calls, Exchange, Method, Protocol, Response } from "./protocol.ts";

/**
 * Shorter than the first retransmission of a SYN (1 s, tcp(7)), so an attempt is one packet, and rate limits count
 * attempts.
 */
const attemptTimeoutMilliseconds = 800;

export interface AttemptOptions {
  /** Per attempt; default 800. */
  readonly timeoutMilliseconds?: number;
  /** Attempts under way at a time; default: all. */
  readonly concurrency?: number;
}

/** Makes and answers traffic inside one namespace. */
export interface Traffic {
  /** Echoes on these ports; on all addresses of both families unless `host` names one. */
  listen(protocol: Protocol, ports: readonly number[], host?: string): Promise<{ close(): Promise<void> }>;
  /** Tries one connection and closes it at once. */
  connect(attempt: Attempt, options?: AttemptOptions): Promise<AttemptResult>;
  /** Tries many, in parallel; results in the order of `attempts`. */
  connectAll(attempts: readonly Attempt[], options?: AttemptOptions): Promise<readonly AttemptResult[]>;
  /** Opens a connection that stays; throws where it cannot be made. */
  open(attempt: Attempt, options?: AttemptOptions): Promise<OpenConnection>;
}

export interface OpenConnection {
  readonly localAddress: string;
  readonly localPort: number;
  /** Sends and waits for the echo (default 2,000 ms): proof that it still flows. */
  exchange(timeoutMilliseconds?: number): Promise<Exchange>;
  close(): Promise<void>;
}

/** Starts the traffic process of a namespace (about 50 ms); it ends with the lab. */
export async function startTraffic(namespace: NetworkNamespace): Promise<Traffic> {
  const script = join(import.meta.dirname, "process.ts");
  const started = await namespace.spawn("traffic", process.execPath, [script], { stdio: "pipe" });
  const { stdin, stdout } = started.child;
  if (stdin === null || stdout === null) throw new Error("the traffic process has no pipes");

  const pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  createInterface({ input: stdout }).on("line", (line) => {
    const response: Response = JSON.parse(line);
    const call = pending.get(response.id);
    pending.delete(response.id);
    if ("error" in response) call?.reject(new Error(`in ${namespace.namespace}: ${response.error}`));
    else call?.resolve(response.result);
  });
  void started.exited.then(() => {
    for (const { reject } of pending.values()) reject(new Error(`the traffic process of ${namespace.namespace} ended`));
    pending.clear();
  });

  let calls = 0;
  const call = <M extends Method>(method: M, params: Calls[M]["params"]): Promise<Calls[M]["result"]> =>
    new Promise((resolve, reject) => {
      if (!started.running) return reject(new Error(`the traffic process of ${namespace.namespace} has ended`));
      calls += 1;
      pending.set(calls, { resolve: resolve as (result: unknown) => void, reject });
      stdin.write(`${JSON.stringify({ id: calls, method, params })}\n`);
      return undefined;
    });

  return trafficOver(call);
}

function trafficOver(
  call: <M extends Method>(method: M, params: Calls[M]["params"]) => Promise<Calls[M]["result"]>,
): Traffic {
  const connectAll: Traffic["connectAll"] = (attempts, options = {}) =>
    call("connect", {
      attempts,
      timeoutMilliseconds: options.timeoutMilliseconds ?? attemptTimeoutMilliseconds,
      concurrency: options.concurrency ?? attempts.length,
    });
  return {
    connectAll,
    async connect(attempt, options) {
      const [result] = await connectAll([attempt], options);
      if (result === undefined) throw new Error("the traffic process returned no result");
      return result;
    },
    async listen(protocol, ports, host) {
      const { listener } = await call("listen", { protocol, ports, ...(host === undefined ? {} : { host }) });
      return { close: async () => void (await call("unlisten", { listener })) };
    },
    async open(attempt, options = {}) {
      const timeoutMilliseconds = options.timeoutMilliseconds ?? attemptTimeoutMilliseconds;
      const { connection, ...result } = await call("open", { attempt, timeoutMilliseconds });
      const { localAddress, localPort } = result;
      if (connection === undefined || localAddress === undefined || localPort === undefined) {
        throw new Error(`no connection to ${attempt.to} port ${attempt.port}: ${result.error ?? result.outcome}`);
      }
      return {
        localAddress,
        localPort,
        exchange: (timeout = 2_000) => call("exchange", { connection, timeoutMilliseconds: timeout }),
        close: async () => void (await call("release", { connection })),
      };
    },
  };
}
