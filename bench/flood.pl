# Sends TCP SYNs from made-up sources to one port, and tells what a packet cost: nanoseconds of this process' CPU, in which
# the kernel takes the packet all the way through veth, bridge and the other end's rules.
#   flood.pl DESTINATION PORT SOURCES COUNT
use strict;
use warnings;
use Socket qw(AF_INET SOCK_RAW inet_aton pack_sockaddr_in);

my ($destination, $port, $sources, $count) = @ARGV;
my $to = inet_aton($destination);

sub sum16 {
  my $sum = unpack "%32n*", shift;
  $sum = ($sum & 0xFFFF) + ($sum >> 16) while $sum >> 16;
  return ~$sum & 0xFFFF;
}

# Sources of 10.0.0.0/8, scattered. Conntrack takes a wrong checksum for invalid, and would do less.
sub syn {
  my $from = pack "CCCC", 10, ($_[0] * 40503 >> 16) & 255, ($_[0] >> 8) & 255, $_[0] & 255;
  my $tcp = pack "nnNNCCnnn", 1024 + $_[0] % 60000, $port, 1, 0, 0x50, 2, 65535, 0, 0;
  my $pseudo = $from . $to . pack "CCn", 0, 6, length $tcp;
  substr $tcp, 16, 2, pack "n", sum16($pseudo . $tcp);
  return pack("CCnnnCCn", 0x45, 0, 20 + length $tcp, 0, 0, 64, 6, 0) . $from . $to . $tcp;
}

my @packets = map { syn($_) } 1 .. $sources;
socket(my $raw, AF_INET, SOCK_RAW, 255) or die "raw socket: $!";
my $where = pack_sockaddr_in(0, $to);
send $raw, $packets[$_ % $sources], 0, $where or die "send: $!" for 1 .. 2000;
my ($user, $system) = times;
for (my $sent = 0; $sent < $count; ) {
  for my $packet (@packets) {
    send $raw, $packet, 0, $where or die "send: $!";
    last if ++$sent >= $count;
  }
}
my ($user_after, $system_after) = times;
printf "%.0f\n", ($user_after + $system_after - $user - $system) / $count * 1e9;
