import type { ListeningSocket } from "../sockets.ts";

/** Who outside of the node gets through to a listener. `Unknown`: no policy judges its port. */
export type Reach = "Everybody" | "Some" | "Nobody" | "Unknown";

/** What the policies in force say of a connection from outside to one of the node's own addresses. */
export type ReachJudge = (to: Pick<ListeningSocket, "protocol" | "address" | "port">) => Reach;

/** Loopback never leaves the node; the rest is the judge's. */
export function reachOf(socket: ListeningSocket, judge: ReachJudge): Reach {
  return isLoopback(socket.address) ? "Nobody" : judge(socket);
}

export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
