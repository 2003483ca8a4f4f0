import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { attemptResult, outcomeOf } from "./attempt-result.ts";
import type { Opened } from "./connection.ts";
import { exchanger } from "./exchanger.ts";
import type { Attempt, AttemptResult } from "./protocol.ts";

/** Counts as connected when the echo of a first datagram came back. */
export function openUdp(attempt: Attempt, timeoutMilliseconds: number): Promise<Opened> {
  const { to, port, from, fromPort, broadcast = false } = attempt;
  const started = performance.now();
  const socket = createSocket(isIPv6(to) ? "udp6" : "udp4");
  let received = "";
  let failure: NodeJS.ErrnoException | undefined;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  socket.on("message", (data) => {
    received += data.toString();
    wake();
  });
  socket.on("error", (error) => {
    failure = error;
    wake();
  });
  const exchange = exchanger({
    // A broadcast's answers come from another address than was asked, so that socket stays unconnected.
    send: (token) => (broadcast ? socket.send(token, port, to) : socket.send(token)),
    look: (token) => (received.includes(token) ? "echoed" : failure === undefined ? undefined : "closed"),
    waiting,
  });

  return new Promise((resolve) => {
    const end = (outcome: AttemptResult["outcome"], error?: string) => {
      const result = attemptResult(started, outcome, () => socket.address(), error);
      if (outcome === "connected") return resolve({ result, connection: { exchange, release: () => socket.close() } });
      socket.close();
      return resolve({ result });
    };
    const fail = (error: NodeJS.ErrnoException) => end(outcomeOf(error), error.code ?? error.message);
    socket.once("error", fail);
    const probe = async () => {
      socket.off("error", fail);
      const outcome = await exchange(timeoutMilliseconds);
      if (outcome === "echoed") end("connected");
      else if (failure !== undefined) fail(failure);
      else end("timeout");
    };
    socket.bind({ ...(from === undefined ? {} : { address: from }), port: fromPort ?? 0 }, () => {
      if (broadcast) {
        socket.setBroadcast(true);
        void probe();
      } else {
        socket.connect(port, to, () => void probe());
      }
    });
  });
}
