import { describe, expect, it } from "vitest";
import { parseConnection } from "../../../src/kernel/connections.ts";
import { parseAddresses, parseListeners, parseRoutes, routeLookup } from "../../../src/kernel/network.ts";

const tcp =
  "tcp      6 431999 ESTABLISHED src=10.0.3.7 dst=198.18.0.11 sport=40001 dport=30080 src=198.19.1.2 dst=10.0.3.7 sport=8080 dport=40001 [ASSURED] mark=0 use=1";

describe("a line of conntrack -L", () => {
  it("tells both ends and who answers", () => {
    expect(parseConnection(4, tcp)).toEqual({
      family: 4,
      protocol: "TCP",
      source: "10.0.3.7",
      sourcePort: 40001,
      destination: "198.18.0.11",
      destinationPort: 30080,
      replySource: "198.19.1.2",
      replySourcePort: 8080,
    });
  });

  it.each([
    [
      "with counters and zones",
      "udp      17 118 src=2001:db8::7 dst=2001:db8::11 sport=5000 dport=8443 packets=3 bytes=90 src=2001:db8::11 dst=2001:db8::7 sport=8443 dport=5000 packets=2 bytes=60 [ASSURED] mark=0 zone=1 use=1",
      "UDP",
    ],
    ["of TCP without an answer, as after a flush", tcp.replace("src=198", "[UNREPLIED] src=198"), "TCP"],
    [
      "of SCTP",
      "sctp     132 209 ESTABLISHED src=10.0.3.7 dst=198.18.0.11 sport=5000 dport=8443 src=198.18.0.11 dst=10.0.3.7 sport=8443 dport=5000 [ASSURED] mark=0 use=1",
      "SCTP",
    ],
  ])("%s is read", (_, line, protocol) => {
    expect(parseConnection(6, line)?.protocol).toBe(protocol);
  });

  it.each([
    ["that ends", tcp.replace("ESTABLISHED", "TIME_WAIT")],
    ["that is opening", tcp.replace("ESTABLISHED", "SYN_SENT")],
    [
      "of UDP without an answer, each datagram of which is judged",
      "udp      17 28 src=10.0.3.7 dst=198.18.0.11 sport=5000 dport=8443 [UNREPLIED] src=198.18.0.11 dst=10.0.3.7 sport=8443 dport=5000 mark=0 use=1",
    ],
    [
      "of another protocol",
      "icmp     1 29 src=10.0.3.7 dst=198.18.0.11 type=8 code=0 id=7 src=198.18.0.11 dst=10.0.3.7 type=0 code=0 id=7 mark=0 use=1",
    ],
    ["of no form", "something else"],
  ])("%s is passed over", (_, line) => {
    expect(parseConnection(4, line)).toBeUndefined();
  });
});

describe("the node's network", () => {
  it("has addresses and listeners", () => {
    const json = `[{"ifname":"lo","addr_info":[{"local":"127.0.0.1"}]},{},{"ifname":"eth0","addr_info":[{"local":"198.18.0.11"},{"local":"fe80::1"}]}]`;
    expect(parseAddresses(json)).toEqual(["127.0.0.1", "198.18.0.11", "fe80::1"]);
    const sockets =
      "LISTEN 0      4096         0.0.0.0:8443       0.0.0.0:*\nLISTEN 0 128 [::]:22 [::]:*\nLISTEN 0 128 *:9100 *:*\n";
    expect(parseListeners(sockets)).toEqual([8443, 22, 9100]);
  });

  it("leads back by the most specific route, and nowhere where there is none", () => {
    const routes = parseRoutes(
      `[{"dst":"default","gateway":"198.18.0.1","dev":"eth0"},{"dst":"10.0.0.0/8","dev":"eth1"},{"dst":"10.0.3.7","dev":"cali1"},{"type":"blackhole","dst":"192.0.2.0/24"}]`,
      "0.0.0.0/0",
    );
    const lookup = routeLookup(routes);
    expect(["10.0.3.7", "10.0.3.8", "192.0.2.1", "2001:db8::1", "10.0.3.7"].map(lookup)).toEqual([
      "cali1",
      "eth1",
      "eth0",
      "",
      "cali1",
    ]);
    expect(parseRoutes("", "::/0")).toEqual([]);
  });
});
