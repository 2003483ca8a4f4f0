import { endianness } from "node:os";
import { addressText } from "./socket-address.ts";

/** A TCP socket as the kernel tells of it. */
export interface TcpSocket {
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  /** TCP_* of include/net/tcp_states.h. */
  readonly state: number;
  readonly uid: number;
  readonly inode: number;
}

const LITTLE_ENDIAN = endianness() === "LE";
const NLMSG_HEADER_BYTES = 16;
const NLMSG_DONE = 3;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
/** Above the 128 bits of an address, so that ::1 is not 0.0.0.1. */
const IPV6 = 1n << 128n;
/** struct inet_diag_msg (linux/inet_diag.h); 72 bytes, attributes behind it. */
const MESSAGE = { family: 0, state: 1, sport: 4, dport: 6, source: 8, destination: 24, uid: 64, inode: 68, bytes: 72 };

/**
 * Reads what the kernel answered to a dump of TCP sockets, as `ss --diag=-` hands it on: netlink(7) messages in the
 * host's byte order. Undefined where the answer does not end as the kernel ends one, as by a kernel without tcp_diag.
 * Through a DataView: its methods are the engine's own, and an agent runs without optimising compilers.
 */
export function parseInetDiag(dump: Uint8Array, littleEndian: boolean = LITTLE_ENDIAN): TcpSocket[] | undefined {
  const view = new DataView(dump.buffer, dump.byteOffset, dump.byteLength);
  const sockets: TcpSocket[] = [];
  const address = addressReader(dump, view);
  let done = false;
  for (let at = 0; at + NLMSG_HEADER_BYTES <= dump.length; ) {
    const length = view.getUint32(at, littleEndian);
    if (length < NLMSG_HEADER_BYTES || at + length > dump.length) return undefined;
    const type = view.getUint16(at + 4, littleEndian);
    if (type === NLMSG_DONE) done = true;
    if (type === SOCK_DIAG_BY_FAMILY && length >= NLMSG_HEADER_BYTES + MESSAGE.bytes) {
      const from = at + NLMSG_HEADER_BYTES;
      const isIpv4 = view.getUint8(from + MESSAGE.family) === AF_INET;
      sockets.push({
        local: { address: address(from + MESSAGE.source, isIpv4), port: view.getUint16(from + MESSAGE.sport) },
        remote: { address: address(from + MESSAGE.destination, isIpv4), port: view.getUint16(from + MESSAGE.dport) },
        state: view.getUint8(from + MESSAGE.state),
        uid: view.getUint32(from + MESSAGE.uid, littleEndian),
        inode: view.getUint32(from + MESSAGE.inode, littleEndian),
      });
    }
    at += (length + 3) & ~3;
  }
  return done ? sockets : undefined;
}

/** The text of each address is made once: thousands of connections share a few. */
function addressReader(dump: Uint8Array, view: DataView): (at: number, isIpv4: boolean) => string {
  const known = new Map<bigint | number, string>();
  const text = (key: bigint | number, at: number, bytes: number) => {
    const made = known.get(key) ?? addressText(dump.subarray(at, at + bytes));
    known.set(key, made);
    return made;
  };
  return (at, isIpv4) => {
    if (isIpv4) return text(view.getUint32(at), at, 4);
    const high = view.getBigUint64(at);
    // IPv4 in IPv6 clothes, as every connection to a server of both families.
    if (high === 0n && view.getUint32(at + 8) === 0xffff) return text(view.getUint32(at + 12), at + 12, 4);
    return text((high << 64n) | view.getBigUint64(at + 8) | IPV6, at, 16);
  };
}
