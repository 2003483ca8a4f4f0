import { expect, it } from "vitest";
import { checkListeners } from "../../../../src/audit/listeners/check-listeners.ts";
import type { ExpectedListener } from "../../../../src/audit/listeners/expected.ts";
import type { Reach } from "../../../../src/audit/listeners/reach.ts";
import type { ListeningSocket } from "../../../../src/audit/sockets.ts";
import { ownNetwork, recordedProcess } from "../recorded-process.ts";
import { type Recorded, recordedSubject, tcp } from "../subject.ts";

const processes = [
  recordedProcess({ pid: 10, name: "node_exporter", sockets: [1] }),
  recordedProcess({ pid: 11, name: "redis-server", uid: 999, sockets: [2] }),
  recordedProcess({ pid: 12, name: "MainThread", executable: "/usr/bin/node", sockets: [3] }),
  recordedProcess({ pid: 13, name: "kube-controller", executable: "/usr/bin/kube-controller-manager", sockets: [4] }),
];

async function findings(
  listening: readonly ListeningSocket[],
  expected: readonly ExpectedListener[],
  more: Recorded = {},
) {
  const result = await checkListeners(
    recordedSubject({
      hosts: [ownNetwork, ...processes],
      listening,
      ...more,
      settings: { expected, ...more.settings },
    }),
  );
  if (result.status === "NotChecked") throw new Error(result.reason);
  return result.findings;
}

it("finds who listens where nobody was expected", async () => {
  expect(await findings([tcp(9100, 1), tcp(6379, 2)], [{ port: 9100, process: "node_exporter" }])).toEqual([
    {
      id: "listeners.unexpected",
      severity: "medium",
      subject: "TCP 0.0.0.0:6379 redis-server",
      port: 6379,
      evidence: "listens, on a port that no policy judges: pid 11, user 999, /system.slice/redis-server.service",
      remedy: expect.stringContaining("expected listeners"),
    },
  ]);
});

it("finds another process on an expected port, and an expected process on another port", async () => {
  const expected = [{ port: 9100, process: "node_exporter" }];
  expect(await findings([tcp(9100, 2)], expected)).toHaveLength(1);
  expect(await findings([tcp(9101, 1)], expected)).toHaveLength(1);
});

it.each([
  ["ranges", { port: "30000-32767" }, tcp(30080, 2)],
  ["the program of a process that calls itself otherwise", { port: 3000, process: "node" }, tcp(3000, 3)],
  ["names that the kernel cuts", { port: 10257, process: "kube-controller-manager" }, tcp(10257, 4)],
])("expects by %s", async (_, expected, listener) => {
  expect(await findings([listener], [expected])).toEqual([]);
});

it("expects the process that audits, by its pid and not by its name", async () => {
  expect(await findings([tcp(9471, 3)], [], { settings: { auditor: 12 } })).toEqual([]);
  expect(await findings([tcp(9471, 3)], [], { settings: { auditor: 11 } })).toHaveLength(1);
});

it.each<[Reach, string]>([
  ["Everybody", "high"],
  ["Some", "medium"],
  ["Unknown", "medium"],
  ["Nobody", "low"],
])("judges by who gets through: %s is %s", async (reach, severity) => {
  const asked: unknown[] = [];
  const judge = (socket: unknown) => {
    asked.push(socket);
    return reach;
  };
  expect((await findings([tcp(6379, 2)], [], { settings: { judge } }))[0]?.severity).toBe(severity);
  expect(asked).toMatchObject([{ protocol: "TCP", address: "0.0.0.0", port: 6379 }]);
});

it.each(["127.0.0.1", "127.0.0.53", "::1"])("knows that nobody outside reaches %s", async (address) => {
  const judge = () => "Everybody" as const;
  expect((await findings([tcp(6379, 2, address)], [], { settings: { judge } }))[0]?.severity).toBe("low");
});

it("takes a UDP socket on a port that the kernel hands out for a client", async () => {
  const range = { files: { "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n" } };
  const udp = (port: number): ListeningSocket => ({ ...tcp(port, 2), protocol: "UDP" });
  const found = await findings([udp(40_000), udp(5353), tcp(40_001, 2)], [], {
    hosts: [range, ownNetwork, ...processes],
  });
  expect(found.map(({ severity }) => severity)).toEqual(["info", "medium", "medium"]);
});

it("looks at protected ports alone", async () => {
  expect(await findings([tcp(22, 2), tcp(6379, 2)], [], { settings: { protectedPorts: ["7000-8000"] } })).toEqual([]);
});

it("does not pass where nobody said what is expected", async () => {
  expect(await checkListeners(recordedSubject({}))).toMatchObject({ status: "NotChecked" });
});

it("does not pass, nor accuse, where processes are hidden for want of rights", async () => {
  const refused = { files: {}, refused: { "/proc/10/fd": "EACCES", "/proc/11/fd": "EACCES" } as const };
  const result = await checkListeners(
    recordedSubject({
      hosts: [ownNetwork, ...processes, refused],
      listening: [tcp(9100, 1)],
      settings: { expected: [{ port: 9100, process: "node_exporter" }] },
    }),
  );
  expect(result).toEqual({ status: "NotChecked", reason: expect.stringMatching(/1 of 1 listeners .* run it as root/) });
});
