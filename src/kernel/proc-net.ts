import type { TcpSocket } from "./inet-diag.ts";
import { addressText, procAddressBytes } from "./socket-address.ts";

/** Reads /proc/net/tcp, tcp6, udp or udp6 (proc(5)): `sl local rem st tx:rx tr:when retrnsmt uid timeout inode ...`, addresses and ports in hex. */
export function parseProcNet(text: string): TcpSocket[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || inode === undefined) return [];
      return [
        {
          local: endpoint(local),
          remote: endpoint(remote),
          state: Number.parseInt(state ?? "", 16),
          uid: Number(uid),
          inode: Number(inode),
        },
      ];
    });
}

function endpoint(text: string): { readonly address: string; readonly port: number } {
  const [address = "", port = ""] = text.split(":");
  return { address: addressText(procAddressBytes(address)), port: Number.parseInt(port, 16) };
}
