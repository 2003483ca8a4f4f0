import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthority, signCertificate } from "../../lab/certificates.ts";
import type { Host } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { waitFor } from "../../lab/wait-for.ts";

const main = join(import.meta.dirname, "../../../src/main.ts");

let lab: Lab;
let host: Host;
let server: LabProcess;

beforeAll(async () => {
  lab = await createLab();
  host = await lab.node("host");
  const authority = await createAuthority(lab.folder);
  const { key, certificate } = await signCertificate(lab.folder, authority, {
    file: "web",
    subject: "/CN=web.example",
    days: 90,
  });
  const script = join(import.meta.dirname, "web-server.ts");
  server = await host.spawn("web", process.execPath, [script, key, certificate]);
  await server.waitForLog(/listening/, 20_000);
}, 60_000);
afterAll(() => lab.close());

/** Runs the command as a CI job would, with a policy on its stdin. */
async function audit(policySpec: object | undefined, ...args: readonly string[]) {
  const policy = { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name: "web" } };
  const files = policySpec === undefined ? [] : ["-f", "-"];
  const input = JSON.stringify({ ...policy, spec: { mode: "Observe", ...policySpec } });
  return host.tryExec(process.execPath, [main, "audit", ...files, ...args], { input });
}

/** Of practices that need no tool of the host, so that they are the same on every machine. */
const practices = {
  mandatoryAccessControl: "Ignore",
  securityUpdates: { pending: "Ignore", automatic: "Ignore" },
  exposure: "Ignore",
};
const required = { ...practices, plaintextProtocols: "Required" };

it("finds what a policy requires not to be there, and nothing else is checked", async () => {
  const { stdout, exitCode } = await audit({ audit: required }, "--json", "--fail-on", "none");
  const { checks, notMet, listeners } = JSON.parse(stdout);
  expect(checks).toMatchObject([
    { name: "local-ports" },
    { name: "conntrack" },
    {
      name: "protocols",
      practice: "protocols",
      status: "Checked",
      examined: 2,
      findings: [{ id: "protocols.plaintext-http", severity: "medium", port: 8080 }],
    },
  ]);
  expect(checks).toHaveLength(3);
  expect({ exitCode, notMet }).toEqual({ exitCode: 1, notMet: [{ check: "protocols", policies: ["web"] }] });
  // Loopback is nobody's but the host's; the others no policy that is in force judges.
  const reached = listeners.map(({ port, reach }: { port: number; reach: string }) => `${port} ${reach}`);
  expect(reached.toSorted()).toEqual(["8080 Unknown", "8081 Nobody", "8443 Unknown"]);
});

it("passes where the port is one of skipProbes, and never connects to it", async () => {
  const before = server.log();
  const { stdout, exitCode } = await audit({ audit: { ...required, skipProbes: [8080] } }, "--json");
  expect(JSON.parse(stdout).checks.at(-1)).toMatchObject({ status: "Checked", examined: 1, findings: [] });
  expect({ exitCode, connections: server.log().slice(before.length) }).toEqual({
    exitCode: 0,
    connections: expect.not.stringContaining("connected 8080"),
  });
});

it("knows whom the policies let through", async () => {
  const allow = [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [8443] }];
  const inbound = { ports: ["8000-8999"], trustCluster: false, allow };
  const { stdout } = await audit({ mode: "Enforce", firewall: { inbound }, audit: required }, "--json");
  const { checks, listeners } = JSON.parse(stdout);
  const reached = listeners.map(({ port, reach }: { port: number; reach: string }) => `${port} ${reach}`);
  expect(reached.toSorted()).toEqual(["8080 Nobody", "8081 Nobody", "8443 Some"]);
  // So nobody can read what goes over 8080.
  expect(checks.at(-1)).toMatchObject({ examined: 1, findings: [] });
});

it("could not tell, by exit code 2, where it may connect to nobody", async () => {
  const { stdout, exitCode } = await audit({ audit: required }, "--skip-probes", "all");
  expect(stdout).toMatch(/\nprotocols +NotChecked +- +nothing is to be connected to\n/);
  expect(stdout).toMatch(/\nnot met: protocols, could not be checked \(required by web\)\n$/);
  expect(exitCode).toBe(2);
});

it("shows people a table, and on stderr what it is at", async () => {
  const { stdout, stderr, exitCode } = await audit({ audit: required }, "--probe-unreached");
  expect(stdout).toMatch(/\nprotocols +Findings +3 +listeners speak encrypted protocols\n/);
  expect(stdout).toMatch(/\nmedium {2}protocols.plaintext-http {2}TCP 0.0.0.0:8080 \S+\n/);
  expect(stdout).toMatch(/\nmedium {2}protocols.plaintext-http {2}TCP 127.0.0.1:8081 \S+\n/);
  expect(stdout).toMatch(/\nnot met: protocols, findings: 2 \(required by web\)\n$/);
  expect(stderr).toMatch(/^audit: protocols/m);
  expect(exitCode).toBe(1);
});

it("leaves no connection behind", async () => {
  const script = await readFile(server.logFile, "utf8");
  expect(script).toContain("connected 8080");
  await waitFor(
    "no established connection",
    async () => {
      const { stdout } = await host.exec("ss", ["-Htn", "state", "established"]);
      return stdout === "" || undefined;
    },
    { timeoutMilliseconds: 30_000 },
  );
});
