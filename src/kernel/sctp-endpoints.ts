import type { ListeningSocket } from "../audit/sockets.ts";
import { addressText } from "./socket-address.ts";

/** SCTP_SS_LISTENING, which is TCP_LISTEN (include/net/sctp/constants.h). */
const LISTENING = "10";

/**
 * Reads /proc/net/sctp/eps (net/sctp/proc.c in the kernel): `ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS`, all decimal but
 * the first two; an endpoint may have several addresses, and is one listener on each.
 */
export function parseSctpEndpoints(text: string): ListeningSocket[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, , , state, , port, uid, inode, ...addresses] = line.trim().split(/\s+/);
      if (state !== LISTENING) return [];
      return addresses.map((address): ListeningSocket => {
        const place = { address: plainAddress(address), port: Number(port) };
        return { protocol: "SCTP", ...place, inode: Number(inode), uid: Number(uid) };
      });
    });
}

/** IPv6 stands there with all of its 32 digits. A star marks the primary address of an association. */
function plainAddress(text: string): string {
  const address = text.replace("*", "");
  return address.includes(":") ? addressText(Buffer.from(address.replaceAll(":", ""), "hex")) : address;
}
