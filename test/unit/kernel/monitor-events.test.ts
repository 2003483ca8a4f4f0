import { expect, it } from "vitest";
import { type Generation, monitorEvents } from "../../../src/kernel/monitor-events.ts";

function read(lines: readonly string[]): Generation[] {
  const take = monitorEvents();
  return lines.map(take).filter((generation) => generation !== undefined);
}

it("reads a transaction of iptables-nft-restore", () => {
  const lines = [
    "add table ip mangle",
    "create chain ip mangle PH-A",
    "add chain ip mangle PREROUTING { type filter hook prerouting priority mangle; policy accept; }",
    "insert rule ip mangle PREROUTING meta l4proto tcp  counter packets 0 bytes 0 jump PH-A",
    "# new generation 2 by process 19042 (iptables-nft-re)",
  ];
  expect(read(lines)).toEqual([{ pid: 19042, command: "iptables-nft-re", nearOurs: true }]);
});

it("tells nothing of other tables, also after a transaction on ours", () => {
  const lines = [
    "delete rule ip6 mangle PH-A handle 5",
    "# new generation 3 by process 7 (nft)",
    "add rule ip nat OUTPUT counter packets 0 bytes 0 accept",
    "add rule ip filter INPUT counter packets 0 bytes 0 accept",
    "add chain ip filter OUTPUT { type filter hook output priority filter; policy accept; }",
    "add rule ip filter KUBE-SERVICES counter packets 0 bytes 0 accept",
    "add rule inet mangle x accept",
    "add rule inet porthardening2 x accept",
    "add rule ip mangled x accept",
    "# new generation 4 by process 8 (nft)",
  ];
  expect(read(lines)).toEqual([{ pid: 7, command: "nft", nearOurs: true }]);
});

it.each([
  ["delete table ip mangle", true],
  ["delete chain ip mangle PH-A", true],
  ["add chain ip mangle PREROUTING { type filter hook prerouting priority mangle; policy drop; }", false],
  ["add chain ip mangle KUBE-KUBELET-CANARY", false],
  ["add rule ip mangle OUTPUT counter packets 0 bytes 0 accept", true],
  ["delete table inet porthardening", true],
  ["delete rule inet porthardening prerouting handle 3", true],
  ["delete table ip6 filter", true],
  ["delete rule ip6 filter PH-OUT handle 7", true],
  ["add rule ip filter OUTPUT counter packets 0 bytes 0 accept", true],
  ["add rule ip mangle KUBE-X counter packets 0 bytes 0 accept", false],
])("%s is near our rules: %s", (line, nearOurs) => {
  const generation = read([line, "# new generation 5 by process 9 (a b)"]);
  expect(generation).toEqual([{ pid: 9, command: "a b", nearOurs }]);
});
