import { createConnection } from "node:net";
import { attemptResult, outcomeOf } from "./attempt-result.ts";
import type { Opened } from "./connection.ts";
import { exchanger } from "./exchanger.ts";
import type { Attempt, AttemptResult } from "./protocol.ts";

/** Counts as connected when the handshake is through. */
export function openTcp({ to, port, from, fromPort }: Attempt, timeoutMilliseconds: number): Promise<Opened> {
  const started = performance.now();
  const socket = createConnection({
    host: to,
    port,
    noDelay: true,
    ...(from === undefined ? {} : { localAddress: from }),
    ...(fromPort === undefined ? {} : { localPort: fromPort }),
  });
  let received = "";
  let closed = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    received += text;
    wake();
  });
  socket.on("close", () => {
    closed = true;
    wake();
  });

  const exchange = exchanger({
    send: (token) => socket.write(token),
    look: (token) => {
      if (received.includes(token)) {
        received = "";
        return "echoed";
      }
      return closed ? "closed" : undefined;
    },
    waiting,
  });

  return new Promise((resolve) => {
    let last: NodeJS.Immediate | undefined;
    const end = (outcome: AttemptResult["outcome"], error?: string) => {
      clearTimeout(timer);
      clearImmediate(last);
      const readLocal = () => ({ address: socket.localAddress, port: socket.localPort });
      const result = attemptResult(started, outcome, readLocal, error);
      if (outcome !== "connected") socket.destroy();
      // A reset frees both ends' ports and conntrack's entry at once.
      else return resolve({ result, connection: { exchange, release: () => void socket.resetAndDestroy() } });
      return resolve({ result });
    };
    // What has come by then counts, though this process, on a loaded machine, did not get round to reading it.
    const timer = setTimeout(() => {
      last = setImmediate(() => end("timeout"));
    }, timeoutMilliseconds);
    socket.once("connect", () => end("connected"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(outcomeOf(error), error.code ?? error.message));
  });
}
