import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serviceFindings } from "../../src/audit/protocols/service-findings.ts";
import type { Host } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import { probe } from "../lab/probe.ts";
import { waitFor } from "../lab/wait-for.ts";
import { startServers } from "./servers/start-all.ts";

let lab: Lab;
let host: Host;
let servers: ReadonlyMap<string, LabProcess>;

beforeAll(async () => {
  lab = await createLab();
  host = await lab.node("host");
  servers = await startServers(host);
});
afterAll(() => lab.close());

/** Bound to all addresses, as most are. */
const everywhere = { address: "0.0.0.0" };

/** By port, the name that the process has, what is found out of it, and what is wrong with it. */
const expected: readonly [number, string, object, readonly string[]][] = [
  [8080, "nginx", { protocol: "HTTP", detail: expect.stringContaining("nginx/") }, ["protocols.plaintext-http"]],
  [8443, "nginx", { protocol: "TLS", tls: { version: "TLSv1.3", certificate: { subject: "CN=good.example" } } }, []],
  [
    8444,
    "nginx",
    { protocol: "TLS", tls: { version: "TLSv1.2", certificate: { subject: "CN=expired.example" } } },
    ["protocols.tls-expired"],
  ],
  [8445, "nginx", { protocol: "TLS", tls: { certificate: { selfSigned: true } } }, ["protocols.tls-self-signed"]],
  [8446, "nginx", { protocol: "TLS", tls: { version: "TLSv1.1" } }, ["protocols.tls-old-version"]],
  [8447, "nginx", { protocol: "TLS", tls: { certificate: { subject: "CN=good.example" } } }, []],
  [2222, "sshd", { protocol: "SSH", detail: expect.stringMatching(/^SSH-2\.0-OpenSSH_/) }, []],
  [2121, "vsftpd", { protocol: "FTP", encryption: "None" }, ["protocols.plaintext-ftp"]],
  [
    2122,
    "vsftpd",
    { protocol: "FTP", tls: { certificate: { subject: "CN=good.example" } } },
    ["protocols.optional-tls"],
  ],
  [2525, "master", { protocol: "SMTP", encryption: "None" }, ["protocols.plaintext-smtp"]],
  [
    2526,
    "master",
    { protocol: "SMTP", tls: { certificate: { subject: "CN=good.example" } } },
    ["protocols.optional-tls"],
  ],
  [2323, "inetd", { protocol: "Telnet" }, ["protocols.plaintext-telnet"]],
  [6380, "redis-server", { protocol: "Redis" }, ["protocols.plaintext-redis"]],
  [6381, "redis-server", { protocol: "Redis" }, ["protocols.plaintext-redis"]],
  [6382, "redis-server", { protocol: "TLS", tls: { certificate: { subject: "CN=good.example" } } }, []],
  [11212, "memcached", { protocol: "memcached" }, ["protocols.plaintext-memcached"]],
  [
    3307,
    "mariadbd",
    { protocol: "MySQL", encryption: "None", detail: expect.stringMatching(/^\d+.*MariaDB/) },
    ["protocols.plaintext-mysql"],
  ],
  [3308, "mariadbd", { protocol: "MySQL", encryption: "Offered" }, ["protocols.optional-tls"]],
  [5433, "postgres", { protocol: "PostgreSQL", encryption: "None" }, ["protocols.plaintext-postgresql"]],
  [
    5434,
    "postgres",
    { protocol: "PostgreSQL", tls: { certificate: { subject: "CN=good.example" } } },
    ["protocols.optional-tls"],
  ],
];

/** What no server may be made to do for one probe, where process or port tell what it is. */
const bounds = { connections: 2, bytesSent: 1_500, bytesReceived: 4_000, milliseconds: 6_000 };

describe.each([
  ["where the process is known", true],
  ["where nothing is known", false],
])("real servers, %s", (_, known) => {
  it("are recognised, and judged", async () => {
    const results = await probe(
      host,
      expected.map(([port, name]) => ({ ...everywhere, port, ...(known && { process: name }) })),
    );
    const seen = expected.map(([port], at) => ({ port, result: results[at] }));
    expect(seen).toMatchObject(expected.map(([port, , service]) => ({ port, result: { kind: "Answered", service } })));
    const now = Date.now();
    const findings = seen.map(({ port, result }) => [
      port,
      result?.kind === "Answered" ? serviceFindings("", result.service, now).map(({ id }) => id) : [],
    ]);
    expect(findings).toEqual(expected.map(([port, , , ids]) => [port, ids]));
    if (!known) return;
    for (const { port, result } of seen) {
      for (const [what, most] of Object.entries(bounds)) {
        expect(result?.cost, `port ${port}`).toHaveProperty(
          what,
          expect.toSatisfy((value: number) => value <= most),
        );
      }
    }
  });
});

describe("what the servers notice", () => {
  const log = (name: string) => servers.get(name)?.log() ?? "";

  it("is nothing that looks like an attack or a broken client, where the process is known", async () => {
    const before = log("postgres-plain").length;
    await probe(host, [
      { ...everywhere, port: 5433, process: "postgres" },
      { ...everywhere, port: 6380, process: "redis-server" },
      { ...everywhere, port: 2526, process: "master" },
    ]);
    expect(log("postgres-plain").slice(before)).toBe("");
    expect(log("redis-plain")).not.toMatch(/attack/i);
    expect(log("postfix-tls")).toMatch(/disconnect from .* ehlo=1 starttls=1 quit=1 commands=3/);
    expect(log("postfix-tls")).not.toMatch(/lost connection|improper/);
  });

  it("is never a reason for sshd to turn clients away, however often it happens", async () => {
    const often = Array.from({ length: 40 }, () => ({ ...everywhere, port: 2222, process: "sshd" }));
    expect(await probe(host, often)).toMatchObject(often.map(() => ({ service: { protocol: "SSH" } })));
    expect(log("sshd")).not.toMatch(/MaxStartups|drop connection|penalty/);
  });

  it("is four broken headers where a PROXY protocol header is wanted: such a server is not recognised", async () => {
    const [result] = await probe(host, [{ ...everywhere, port: 8082, process: "nginx" }]);
    expect(result).toMatchObject({ service: { protocol: "Unknown" }, cost: { connections: 4 } });
    expect(log("nginx").match(/broken header/g)).toHaveLength(4);
  });

  it("is not counted by MariaDB on loopback, while it would be on an address of the node", async () => {
    const probes = (address: string) => Array.from({ length: 5 }, () => ({ address, port: 3309, process: "mariadbd" }));
    const greets = { kind: "Answered", service: { protocol: "MySQL", encryption: "None" }, cost: { bytesSent: 0 } };
    for (let round = 0; round < 4; round += 1) {
      expect(await probe(host, probes("0.0.0.0"))).toMatchObject(Array.from({ length: 5 }, () => greets));
    }
    // It counts a connection when its thread ends.
    const refused = await waitFor(
      "a refusal",
      async () => {
        const [result] = await probe(host, probes(host.ipv4));
        return result?.kind === "Answered" && result.service.encryption === "Unknown" ? result.service : undefined;
      },
      { timeoutMilliseconds: 20_000 },
    );
    expect(refused.detail).toContain("is blocked because of many");
  });
});

it("says that nothing listens, and takes no longer than it must", async () => {
  const [result] = await probe(host, [{ ...everywhere, port: 9 }]);
  expect(result).toMatchObject({
    kind: "NotReached",
    reason: expect.stringContaining("ECONNREFUSED"),
    cost: { connections: 0 },
  });
  expect(result?.cost.milliseconds).toBeLessThan(500);
});
