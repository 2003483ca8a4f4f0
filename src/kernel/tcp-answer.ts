import { connect } from "node:net";

/** Connects anew and closes, without a byte. Whether the other end said what counts within the time. Never throws. */
export function hasAnswer(
  to: { readonly host: string; readonly port: number },
  timeoutMilliseconds: number,
  counts: "Open" | "OpenOrRefused",
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, autoSelectFamily: true });
    // In a process that was busy both have happened, and the answer is still to be heard.
    const timer = setTimeout(() => setImmediate(() => end(false)), timeoutMilliseconds);
    const end = (answered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      end(error.code === "ECONNREFUSED" && counts === "OpenOrRefused"),
    );
  });
}
