import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding, Seen } from "../../src/audit/finding.ts";
import type { Host } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import { startServers } from "./servers/start-all.ts";

const main = join(import.meta.dirname, "../../src/main.ts");
const NAMES = ["nginx", "sshd", "redis-plain", "vsftpd-plain", "postgres-plain", "postgres-tls"];

interface Report {
  readonly checks: readonly {
    readonly name: string;
    readonly examined?: number;
    readonly findings?: readonly Finding[];
    readonly seen?: readonly Seen[];
  }[];
  readonly notMet: readonly { readonly check: string }[];
}

let lab: Lab;
let host: Host;
let servers: ReadonlyMap<string, LabProcess>;
let report: Report;
let exitCode: number;

/** A policy of its own for these servers: who is expected, whom it lets in, what it requires. */
const policy = {
  apiVersion: "porthardening.io/v1alpha1",
  kind: "PortHardeningPolicy",
  metadata: { name: "servers" },
  spec: {
    mode: "Enforce",
    firewall: {
      inbound: {
        allow: [
          { name: "web", ports: ["8080-8447"] },
          { name: "admins", from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] },
        ],
      },
    },
    monitoring: {
      listeners: {
        expected: [
          { port: "8080-8447", process: "nginx" },
          { port: 2222, process: "sshd" },
          { port: "5433-5434", process: "postgres" },
        ],
      },
    },
    audit: {
      plaintextProtocols: "Required",
      mandatoryAccessControl: "Ignore",
      securityUpdates: { pending: "Ignore", automatic: "Ignore" },
      exposure: "Ignore",
      skipProbes: ["8081-8082"],
    },
  },
};

beforeAll(async () => {
  lab = await createLab();
  host = await lab.node("host");
  servers = await startServers(host, NAMES);
  const result = await host.tryExec(process.execPath, [main, "audit", "--json", "-f", "-"], {
    input: JSON.stringify(policy),
    timeoutMilliseconds: 100_000,
  });
  ({ exitCode } = result);
  report = JSON.parse(result.stdout);
});
afterAll(() => lab.close());

function findings(name: string): string[] {
  const check = report.checks.find((one) => one.name === name);
  return (check?.findings ?? []).map(({ id, severity, subject }) => `${severity} ${id} ${subject}`).toSorted();
}

describe("an audit of a host with real servers", () => {
  it("finds who listens that was not expected, and who reaches it", () => {
    expect(findings("listeners")).toEqual([
      "medium listeners.unexpected TCP 0.0.0.0:2121 vsftpd",
      "medium listeners.unexpected TCP 0.0.0.0:6380 redis-server",
      "medium listeners.unexpected TCP [::]:6380 redis-server",
    ]);
  });

  it("finds what they speak in plain text, and what is wrong with their TLS", () => {
    expect(findings("protocols")).toEqual([
      "high protocols.plaintext-ftp TCP 0.0.0.0:2121 vsftpd",
      "high protocols.plaintext-postgresql TCP 0.0.0.0:5433 postgres",
      "high protocols.plaintext-redis TCP 0.0.0.0:6380 redis-server",
      "high protocols.plaintext-redis TCP [::]:6380 redis-server",
      "high protocols.tls-expired TCP 0.0.0.0:8444 nginx",
      "high protocols.tls-old-version TCP 0.0.0.0:8446 nginx",
      "low protocols.optional-tls TCP 0.0.0.0:5434 postgres",
      "low protocols.tls-self-signed TCP 0.0.0.0:8445 nginx",
      "medium protocols.plaintext-http TCP 0.0.0.0:8080 nginx",
    ]);
  });

  it("says of each what it speaks, also where that is as it should be", () => {
    const seen = report.checks.find(({ name }) => name === "protocols")?.seen?.map(({ says }) => says) ?? [];
    expect(seen).toHaveLength(13);
    expect(seen).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^TLSv1\.3 TLS_[A-Z0-9_]+, \S.* until \d{4}-\d\d-\d\d$/),
        expect.stringMatching(/^SSH-2\.0-OpenSSH_/),
        expect.stringMatching(/^PostgreSQL in plain text, TLS offered/),
      ]),
    );
  });

  it("ends with exit code 1, as the policy requires encryption", () => {
    expect({ exitCode, notMet: report.notMet }).toMatchObject({ exitCode: 1, notMet: [{ check: "protocols" }] });
  });

  it("connects to each once, by each address that it is bound to, and to none of skipProbes", () => {
    expect(report.checks.find(({ name }) => name === "protocols")?.examined).toBe(13);
    const log = (name: string) => servers.get(name)?.log() ?? "";
    expect(log("nginx")).not.toContain(" 301 ");
    // A ClientHello, in plain text.
    expect(log("nginx").match(/" 400 /g)).toHaveLength(1);
    expect(log("sshd").match(/^Connection closed by/gm)).toHaveLength(2);
  });
});
