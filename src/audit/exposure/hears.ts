import type { ListeningSocket } from "../sockets.ts";

/**
 * Whether a connection to this address and port has somebody to take it. Perhaps: a socket on `::` takes IPv4 too, unless
 * it was told not to (IPV6_V6ONLY), which is not to be seen.
 */
export function hears(
  listening: readonly Pick<ListeningSocket, "protocol" | "address" | "port">[],
  to: string,
  port: number,
): "Yes" | "Perhaps" | "No" {
  const there = listening.filter((one) => one.protocol === "TCP" && one.port === port);
  const everywhere = to.includes(":") ? "::" : "0.0.0.0";
  if (there.some(({ address }) => address === to || address === everywhere)) return "Yes";
  return there.some(({ address }) => address === "::") ? "Perhaps" : "No";
}
