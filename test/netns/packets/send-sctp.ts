import type { Host } from "../../lab/hosts.ts";

/**
 * Sends one packet of this chunk type to `to`, as a raw socket does: neither the kernel's SCTP nor a listener is needed.
 * The checksum is CRC32c (RFC 9260, appendix A); conntrack takes a wrong one for invalid.
 */
export async function sendSctp(host: Host, to: string, port: number, chunk: "INIT" | "DATA"): Promise<void> {
  await host.exec("perl", ["-MSocket", "-e", SEND, to, `${port}`, chunk === "INIT" ? "1" : "0"]);
}

const SEND = `
use strict;
my ($to, $port, $type) = @ARGV;
sub crc32c {
  my $crc = 0xFFFFFFFF;
  for my $byte (unpack "C*", shift) {
    $crc ^= $byte;
    $crc = $crc & 1 ? ($crc >> 1) ^ 0x82F63B78 : $crc >> 1 for 1 .. 8;
  }
  return $crc ^ 0xFFFFFFFF;
}
my $body = $type == 1
  ? pack("CCnNNnnN", 1, 0, 20, 0x01020304, 65535, 1, 1, 0x0A0B0C0D)
  : pack("CCnNnnN", 0, 3, 16, 1, 0, 0, 0);
my $ports = pack("nnN", 40000, $port, $type == 1 ? 0 : 0x01020304);
my $packet = $ports . pack("V", crc32c($ports . pack("N", 0) . $body)) . $body;
socket(my $raw, AF_INET, SOCK_RAW, 132) or die "socket: $!";
send($raw, $packet, 0, sockaddr_in(0, inet_aton($to))) or $!{EPERM} or die "send: $!";
`;
