# Sends the first packet of SCTP associations and tells what comes back, without the kernel's SCTP (a module) and without
# a listener: whoever gets the packet answers "protocol unreachable", or ABORT where the module is loaded; a firewall that
# rejects it answers "port unreachable".
#   stdin:  ID SOURCE DESTINATION PORT       stdout:  ID answered | ID refused | ID failed TYPE/CODE
# Ends with its stdin. Answers are seen by a packet socket (packet(7)): a raw SCTP socket would take the packets that come
# in for itself, and this host would not answer others.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW SOCK_DGRAM SOL_SOCKET inet_pton pack_sockaddr_in pack_sockaddr_in6);

my ($AF_PACKET, $ETH_P_ALL, $IPPROTO_RAW, $IPPROTO_SCTP, $SO_RCVBUFFORCE) = (17, 3, 255, 132, 33);

# CRC32c, RFC 9260, appendix A. Conntrack takes a wrong checksum for invalid.
my @crc_of = map { my $crc = $_; $crc = $crc & 1 ? ($crc >> 1) ^ 0x82F63B78 : $crc >> 1 for 1 .. 8; $crc } 0 .. 255;
sub crc32c {
  my $crc = 0xFFFFFFFF;
  $crc = ($crc >> 8) ^ $crc_of[($crc ^ $_) & 255] for unpack "C*", shift;
  return $crc ^ 0xFFFFFFFF;
}

sub init_packet {
  my ($from_port, $to_port) = @_;
  my $ports = pack "nnN", $from_port, $to_port, 0;
  my $chunk = pack "CCnNNnnN", 1, 0, 20, 0x01020304, 65535, 1, 1, 0x0A0B0C0D;
  return $ports . pack("V", crc32c($ports . pack("N", 0) . $chunk)) . $chunk;
}

socket(my $raw4, AF_INET, SOCK_RAW, $IPPROTO_RAW) or die "raw socket: $!";
socket(my $raw6, AF_INET6, SOCK_RAW, $IPPROTO_RAW) or die "raw IPv6 socket: $!";
socket(my $wire, $AF_PACKET, SOCK_DGRAM, unpack("S", pack("n", $ETH_P_ALL))) or die "packet socket: $!";
# It hears all of this host's traffic, which comes in bursts.
setsockopt($wire, SOL_SOCKET, $SO_RCVBUFFORCE, pack("i", 1 << 24)) or die "SO_RCVBUFFORCE: $!";

my $from_port = 20000;
my %waiting;    # by source address (packed) and source port

sub probe {
  my ($id, $source, $destination, $port) = @_;
  $from_port = $from_port == 60000 ? 20000 : $from_port + 1;
  my $sctp = init_packet($from_port, $port);
  my $family = $source =~ /:/ ? AF_INET6 : AF_INET;
  my ($from, $to) = map { inet_pton($family, $_) // die "$_ is no address" } $source, $destination;
  $waiting{$from . pack("n", $from_port)} = $id;
  my ($sent, $packet);
  if ($family == AF_INET6) {
    $packet = pack("NnCC", 0x60000000, length $sctp, $IPPROTO_SCTP, 64) . $from . $to . $sctp;
    $sent = send $raw6, $packet, 0, pack_sockaddr_in6(0, $to);
  } else {
    $packet = pack("CCnnnCCn", 0x45, 0, 20 + length $sctp, 0, 0, 64, $IPPROTO_SCTP, 0) . $from . $to . $sctp;
    $sent = send $raw4, $packet, 0, pack_sockaddr_in(0, $to);
  }
  # A packet that an output rule drops is refused at once, also where that rule answers by ICMP.
  tell_of($from, $from_port, "failed $!") unless $sent || $!{EPERM} || $!{ECONNREFUSED};
}

sub tell_of {
  my ($address, $port, $what) = @_;
  my $id = delete $waiting{$address . pack("n", $port)};
  print "$id $what\n" if defined $id;
}

sub hear {
  my ($packet) = @_;
  return if length $packet < 28;
  my ($protocol, $source, $destination, $rest) = headers($packet);
  if ($protocol == $IPPROTO_SCTP) {
    my (undef, $port) = unpack "nn", $rest;
    my $chunk = unpack "x12 C", $rest;
    tell_of($destination, $port, "answered") if $chunk == 2 || $chunk == 6;
  } elsif ($protocol == 1 || $protocol == 58) {
    my ($type, $code) = unpack "CC", $rest;
    return unless ($protocol == 1 && $type == 3) || ($protocol == 58 && ($type == 1 || $type == 4));
    my ($quoted, $address, undef, $ports) = headers(substr $rest, 8);
    return unless $quoted == $IPPROTO_SCTP && length $ports >= 2;
    my %meaning = $protocol == 1 ? ("3/2" => "answered", "3/3" => "refused") : ("4/1" => "answered", "1/4" => "refused");
    tell_of($address, unpack("n", $ports), $meaning{"$type/$code"} // "failed $type/$code");
  }
}

sub headers {
  my ($packet) = @_;
  return (unpack("x6 C", $packet), substr($packet, 8, 16), substr($packet, 24, 16), substr($packet, 40))
    if vec($packet, 0, 8) >> 4 == 6 && length $packet >= 40;
  my $length = 4 * (vec($packet, 0, 8) & 15);
  return (0, "", "", "") if vec($packet, 0, 8) >> 4 != 4 || length $packet < $length;
  return (unpack("x9 C", $packet), substr($packet, 12, 4), substr($packet, 16, 4), substr($packet, $length));
}

$| = 1;
my ($asked, $readable) = ("", "");
while (1) {
  $readable = "";
  vec($readable, fileno $_, 1) = 1 for \*STDIN, $wire;
  select $readable, undef, undef, undef;
  if (vec $readable, fileno $wire, 1) {
    recv $wire, my $packet, 2048, 0;
    hear($packet) if defined $packet;
  }
  if (vec $readable, fileno STDIN, 1) {
    sysread STDIN, $asked, 65536, length $asked or exit;
    probe(split / /, $1) while $asked =~ s/^(.*)\n//;
  }
}
