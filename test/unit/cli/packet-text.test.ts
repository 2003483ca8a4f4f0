import { describe, expect, it } from "vitest";
import { parsePacket } from "../../../src/cli/packet-text.ts";

describe("parsePacket", () => {
  it.each([
    [
      "tcp 203.0.113.9 -> :8443 in eth0",
      { protocol: "tcp", family: 4, source: "203.0.113.9", destinationPort: 8443, in: "eth0" },
    ],
    [
      "UDP 203.0.113.9:5353 -> 198.18.0.11:53 in wan.7",
      {
        protocol: "udp",
        family: 4,
        source: "203.0.113.9",
        destination: "198.18.0.11",
        destinationPort: 53,
        in: "wan.7",
      },
    ],
    [
      "tcp [2001:db8::9]:1234->[2001:db8::1]:8443 in eth0",
      {
        protocol: "tcp",
        family: 6,
        source: "2001:db8::9",
        destination: "2001:db8::1",
        destinationPort: 8443,
        in: "eth0",
      },
    ],
    [
      "tcp -> 203.0.113.9:443 out eth0",
      { protocol: "tcp", family: 4, destination: "203.0.113.9", destinationPort: 443, out: "eth0" },
    ],
    [
      "sctp :0 -> [2001:db8::9]:443 OUT wg0",
      { protocol: "sctp", family: 6, destination: "2001:db8::9", destinationPort: 443, out: "wg0" },
    ],
    [
      "udp 198.18.0.11:68 -> 203.0.113.9:443 out eth0",
      {
        protocol: "udp",
        family: 4,
        source: "198.18.0.11",
        destination: "203.0.113.9",
        destinationPort: 443,
        out: "eth0",
      },
    ],
    [
      "tcp 2001:db8::9 -> :8443 in eth0",
      { protocol: "tcp", family: 6, source: "2001:db8::9", destinationPort: 8443, in: "eth0" },
    ],
  ])("reads %s", (text, packet) => {
    expect(parsePacket(text)).toEqual(packet);
  });

  it.each([
    ["", /is no packet/],
    ["203.0.113.9 -> :8443", /is no packet/],
    ["icmp 203.0.113.9 -> :1 in eth0", /only tcp, udp, sctp are judged/],
    ["tcp 203.0.113.9 -> :8443", /interface .* is missing/],
    ["tcp 203.0.113.9 -> :8443 in eth+", /no name of an interface/],
    ["tcp :80 -> :8443 in eth0", /address that it comes from is missing/],
    ["tcp 203.0.113.9 -> 198.18.0.1 in eth0", /port that it goes to is missing/],
    ["tcp 203.0.113.9 -> :0 in eth0", /port 0 is not within/],
    ["tcp 203.0.113.9:65536 -> :80 in eth0", /port 65536 is not within/],
    ["tcp -> :443 out eth0", /address that it goes to is missing/],
    ["tcp -> 203.0.113.9 out eth0", /port that it goes to is missing/],
    ["tcp -> :443 in eth0", /address that it comes from is missing/],
    ["tcp 2001:db8::1 -> 203.0.113.9:443 out eth0", /not of one family/],
    ["tcp -> 203.0.113.9:443", /interface .* is missing/],
    ["tcp 203.0.113.9 -> :65536 in eth0", /port 65536 is not within/],
    ["tcp 203.0.113.9 -> [2001:db8::1]:80 in eth0", /not of one family/],
    ["tcp 203.0.113.009 -> :80 in eth0", /"203.0.113.009" is no address/],
    ["tcp fe80::1%eth0 -> :80 in eth0", /is no address/],
    ["tcp office -> :80 in eth0", /"office" is no address/],
    ["tcp [203.0.113.9]:80 -> :80 in eth0", /is no address/],
  ])("refuses %j, and shows how to write it", (text, message) => {
    expect(() => parsePacket(text)).toThrow(message);
    expect(() => parsePacket(text)).toThrow(/write it as 'tcp 203.0.113.9 -> :8443 in eth0'/);
  });
});
