/**
 * Makes and answers traffic inside a network namespace. One process a namespace, told what to do by lines on stdin
 * (protocol.ts), so that a probe costs no process start. Ends with its stdin.
 */
import { createInterface } from "node:readline";
import { type Connection, connectionOpener } from "./connection.ts";
import { listenEcho } from "./echo-listener.ts";
import type { Attempt, AttemptResult, Calls, Method, Request, Response } from "./protocol.ts";

const openConnection = connectionOpener();
const listeners = new Map<number, () => void>();
const connections = new Map<number, Connection>();
let handles = 0;

const methods: { [M in Method]: (params: Calls[M]["params"]) => Promise<Calls[M]["result"]> } = {
  async listen(params) {
    handles += 1;
    listeners.set(handles, await listenEcho(params));
    return { listener: handles };
  },
  async unlisten({ listener }) {
    listeners.get(listener)?.();
    listeners.delete(listener);
    return null;
  },
  connect: ({ attempts, timeoutMilliseconds, concurrency }) => tryAll(attempts, timeoutMilliseconds, concurrency),
  async open({ attempt, timeoutMilliseconds }) {
    const { result, connection } = await openConnection(attempt, timeoutMilliseconds);
    if (connection === undefined) return result;
    handles += 1;
    connections.set(handles, connection);
    return { ...result, connection: handles };
  },
  async exchange({ connection, timeoutMilliseconds }) {
    const open = connections.get(connection);
    if (open === undefined) throw new Error(`connection ${connection} is not open`);
    return open.exchange(timeoutMilliseconds);
  },
  async release({ connection }) {
    connections.get(connection)?.release();
    connections.delete(connection);
    return null;
  },
};

async function tryAll(
  attempts: readonly Attempt[],
  timeoutMilliseconds: number,
  concurrency: number,
): Promise<readonly AttemptResult[]> {
  const results: AttemptResult[] = [];
  const queue = attempts.entries();
  const worker = async () => {
    for (const [index, attempt] of queue) {
      const { result, connection } = await openConnection(attempt, timeoutMilliseconds);
      connection?.release();
      results[index] = result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, attempts.length) }, worker));
  return results;
}

async function answer<M extends Method>({ id, method, params }: Request<M>): Promise<Response> {
  try {
    return { id, result: await methods[method](params) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  void answer(JSON.parse(line)).then((response) => process.stdout.write(`${JSON.stringify(response)}\n`));
});
lines.on("close", () => process.exit(0));
