import { connect } from "node:net";

/** What a TCP port says to a connection. Silent: nothing in time, or that it is not to be reached. */
export type PortAnswer = "open" | "refused" | "silent";

/** By what came back, or did not, from the other end or from what stands before it. */
const ANSWERS: ReadonlyMap<string, PortAnswer> = new Map([
  ["ECONNREFUSED", "refused"],
  // A reset that came after the connection stood, before we knew.
  ["ECONNRESET", "open"],
  ["ETIMEDOUT", "silent"],
  ["EHOSTUNREACH", "silent"],
  ["EHOSTDOWN", "silent"],
]);

/**
 * Connects and closes, without a byte. Throws where the fault is our own (no such address here, no route, too many files),
 * or when `signal` aborts.
 */
export function connectPort({
  from,
  to,
  port,
  timeoutMilliseconds,
  signal,
}: {
  /** The node's own address to connect from. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
}): Promise<PortAnswer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = connect({ host: to, port, localAddress: from });
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.destroy();
      settle();
    };
    const aborted = () => end(() => reject(signal.reason));
    const timer = setTimeout(() => end(() => resolve("silent")), timeoutMilliseconds);
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("connect", () => end(() => resolve("open")));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const answer = ANSWERS.get(error.code ?? "");
      end(() => (answer === undefined ? reject(error) : resolve(answer)));
    });
  });
}
