import { expect, it } from "vitest";
import { checkProtocols } from "../../../../src/audit/protocols/check-protocols.ts";
import { prober } from "../../../../src/audit/protocols/prober.ts";
import { ownNetwork, recordedProcess } from "../recorded-process.ts";
import { type Recorded, recordedSubject, tcp } from "../subject.ts";
import { SSH, served } from "./served.ts";

const TELNET = "\xff\xfd\x18";

function world(recorded: Recorded, greetings: Readonly<Record<number, string>>) {
  const asked: string[] = [];
  const probing = prober({
    open: served(greetings, asked),
    listening: async () => recorded.listening ?? [],
    clock: () => 0,
    settleMilliseconds: 1,
  });
  const hosts = [
    ownNetwork,
    recordedProcess({ pid: 70, name: "server", sockets: [1, 2, 3] }),
    ...(recorded.hosts ?? []),
  ];
  return { asked, subject: { ...recordedSubject({ ...recorded, hosts }), prober: probing } };
}

it("says of each port what listens there in plain text", async () => {
  const { subject } = world({ listening: [tcp(2323, 1), tcp(2222, 2, "::")] }, { 2323: TELNET, 2222: SSH });
  expect(await checkProtocols(subject)).toEqual({
    status: "Checked",
    examined: 2,
    findings: [
      {
        id: "protocols.plaintext-telnet",
        severity: "critical",
        subject: "TCP 0.0.0.0:2323 server",
        port: 2323,
        evidence: expect.any(String),
        remedy: expect.any(String),
      },
    ],
    seen: [
      { subject: "TCP 0.0.0.0:2323 server", says: expect.stringMatching(/^Telnet in plain text/) },
      { subject: "TCP [::]:2222 server", says: expect.stringMatching(/^SSH-2\.0-/) },
    ],
  });
});

it.each<[string, Recorded]>([
  ["ports that are not protected", { listening: [tcp(80, 1)] }],
  ["ports of skipProbes", { listening: [tcp(5432, 1)], settings: { skipProbes: ["5000-5999"] } }],
  ["loopback", { listening: [tcp(2323, 1, "127.0.0.1"), tcp(2323, 2, "::1")] }],
  ["ports that policies let nobody reach", { listening: [tcp(2323, 1)], settings: { judge: () => "Nobody" } }],
  ["UDP", { listening: [{ ...tcp(2323, 1), protocol: "UDP" }] }],
])("connects to nobody on %s", async (_, recorded) => {
  const { asked, subject } = world(recorded, { 2323: TELNET, 5432: TELNET, 80: TELNET });
  expect(await checkProtocols(subject)).toEqual({ status: "Checked", examined: 0, findings: [], seen: [] });
  expect(asked).toEqual([]);
});

it("connects to loopback where somebody asks for it", async () => {
  const listening = [tcp(2323, 1, "127.0.0.1")];
  const { subject } = world({ listening, settings: { probeUnreached: true } }, { 2323: TELNET });
  expect(await checkProtocols(subject)).toMatchObject({ examined: 1 });
});

it("connects once where workers share a port, and not again when one of them changes", async () => {
  const workers = (pid: number): Recorded => ({
    hosts: [recordedProcess({ pid, name: "worker", sockets: [9], startTicks: 5000 })],
    listening: [tcp(2323, 9), tcp(2323, 1)],
  });
  const { asked, subject } = world(workers(80), { 2323: TELNET });
  expect(await checkProtocols(subject)).toMatchObject({ findings: [{ subject: "TCP 0.0.0.0:2323 server" }] });
  const { prober: same } = subject;
  await checkProtocols({ ...world(workers(81), {}).subject, prober: same, occasion: "Listeners" });
  expect(asked).toHaveLength(1);
});

it("wakes no service that systemd listens for, and says that it was not looked at", async () => {
  const hosts = [recordedProcess({ pid: 1, name: "systemd", sockets: [7] })];
  const { asked, subject } = world({ hosts, listening: [tcp(9090, 7)] }, { 9090: TELNET });
  expect(await checkProtocols(subject)).toMatchObject({
    examined: 0,
    findings: [{ id: "protocols.not-reached", subject: "TCP 0.0.0.0:9090 systemd", port: 9090 }],
  });
  expect(asked).toEqual([]);
});

it("says where a listener took no connection", async () => {
  const { subject } = world({ listening: [tcp(2323, 1)] }, {});
  expect(await checkProtocols(subject)).toMatchObject({
    examined: 0,
    findings: [{ id: "protocols.not-reached", port: 2323, evidence: expect.stringContaining("ECONNREFUSED") }],
  });
});

it("probes without seeing processes", async () => {
  const { subject } = world({ listening: [tcp(2323, 55)] }, { 2323: TELNET });
  expect(await checkProtocols(subject)).toMatchObject({ findings: [{ subject: "TCP 0.0.0.0:2323" }] });
});

it("is not checked where nobody may be connected to, or where no turn came in time", async () => {
  const { subject } = world({ listening: [tcp(2323, 1)] }, { 2323: TELNET });
  expect(await checkProtocols({ ...subject, signal: AbortSignal.abort() })).toMatchObject({ status: "NotChecked" });
  const { prober: _, ...without } = subject;
  expect(await checkProtocols(without)).toMatchObject({ status: "NotChecked" });
});
