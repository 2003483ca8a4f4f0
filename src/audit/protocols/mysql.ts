import { asciiLine, asText } from "./ascii.ts";
import type { Service } from "./service.ts";

/** CLIENT_SSL, in the lower half of the capability flags. */
const SSL = 0x0800;

/**
 * A MySQL or MariaDB server greets with packet 0: its length in three bytes, number 0, then protocol 10 or an error (0xff).
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 */
export function isMySql(bytes: Uint8Array): boolean {
  const length = packetLength(bytes);
  return bytes.length >= 5 && bytes[3] === 0 && (bytes[4] === 10 || bytes[4] === 0xff) && length > 4 && length < 1_024;
}

export function mySqlIsComplete(bytes: Uint8Array): boolean {
  return bytes.length >= packetLength(bytes) + 4;
}

/**
 * Reads the greeting; nothing is answered. A server counts each handshake that ends early against the client's address and
 * refuses that address after `max_connect_errors` (100), so more is not asked than what the greeting tells.
 */
export function readMySql(bytes: Uint8Array): Service {
  if (bytes[4] === 0xff) {
    // An error: two bytes of code, then words, such as that this host may not connect.
    return { protocol: "MySQL", encryption: "Unknown", detail: asciiLine(asText(bytes.subarray(7))) };
  }
  const end = bytes.indexOf(0, 5);
  // MariaDB says 5.5.5- first, for old replicas of MySQL.
  const detail = asciiLine(asText(bytes.subarray(5, end)).replace(/^5\.5\.5-/, ""));
  // Behind the version: connection id (4), half a nonce (8), a zero, then the flags.
  const flags = (bytes[end + 14] ?? 0) | ((bytes[end + 15] ?? 0) << 8);
  return { protocol: "MySQL", encryption: (flags & SSL) === 0 ? "None" : "Offered", detail };
}

function packetLength(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16);
}
