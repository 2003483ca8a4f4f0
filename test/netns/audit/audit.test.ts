import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Finding } from "../../../src/audit/finding.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait-for.ts";

const main = join(import.meta.dirname, "../../../src/main.ts");
/** What the traffic process of the lab is, by its program. */
const EXPECTED = ["--expect", "8080=node"];

interface Report {
  readonly format: number;
  readonly protectedPorts: readonly string[];
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly findings?: readonly Finding[];
  }[];
  readonly listeners: readonly {
    readonly protocol: string;
    readonly address: string;
    readonly port: number;
    readonly reach: string;
    readonly process: object;
  }[];
  readonly connections: { readonly established: number; readonly top: readonly object[] };
}

let lab: Lab;
let node: Node;
let client: Host;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node1");
  client = await lab.client("client1");
  const traffic = await node.traffic();
  await traffic.listen("tcp", [8080, 80]);
  await traffic.listen("tcp", [6379], "127.0.0.1");
  await traffic.listen("udp", [5353], "198.18.0.11");
}, 60_000);
afterAll(() => lab.close());

/** What listeners speak is protocols.test.ts's. */
const audit = (...args: readonly string[]) =>
  node.tryExec(process.execPath, [main, "audit", "--skip-probes", "all", ...args]);

async function report(...args: readonly string[]): Promise<Report> {
  return JSON.parse((await audit("--json", ...args)).stdout);
}

function findingsOf({ checks }: Report, name: string) {
  return checks.find((check) => check.name === name)?.findings?.map(({ id, subject }) => `${id} ${subject}`);
}

it("finds the listeners on protected ports that were not expected", async () => {
  const found = await report(...EXPECTED);
  expect(found.format).toBe(1);
  expect(findingsOf(found, "listeners")?.toSorted()).toEqual([
    expect.stringMatching(/^listeners.unexpected TCP 127.0.0.1:6379 \S+$/),
    expect.stringMatching(/^listeners.unexpected UDP 198.18.0.11:5353 \S+$/),
  ]);
  expect(found.listeners.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`).toSorted()).toEqual([
    "TCP 127.0.0.1 6379",
    "TCP :: 8080",
    "UDP 198.18.0.11 5353",
  ]);
  expect(found.listeners[0]?.process).toMatchObject({ executable: process.execPath, uid: 0 });
});

it("finds a listener that comes, and no more when it is gone", async () => {
  const listener = await (await node.traffic()).listen("tcp", [9999]);
  const finding = expect.stringMatching(/^listeners.unexpected TCP \[::\]:9999 /);
  expect(findingsOf(await report(...EXPECTED), "listeners")).toContainEqual(finding);
  await listener.close();
  expect(findingsOf(await report(...EXPECTED), "listeners")).not.toContainEqual(finding);
});

it("counts who is connected, by remote and port", async () => {
  const traffic = await client.traffic();
  const open = await Promise.all([1, 2, 3].map(() => traffic.open({ protocol: "tcp", to: node.ipv4, port: 8080 })));
  const { connections } = await report();
  expect(connections).toMatchObject({
    established: 3,
    top: [{ direction: "Inbound", remote: client.ipv4, port: 8080, count: 3 }],
  });
  for (const connection of open) await connection.close();
});

it("finds that local ports towards a remote run out", async () => {
  const far = await client.traffic();
  await far.listen("tcp", [7000]);
  await node.exec("sysctl", ["-qw", "net.ipv4.ip_local_port_range=50000 50039"]);
  const traffic = await node.traffic();
  const open = await Promise.all(
    Array.from({ length: 36 }, () => traffic.open({ protocol: "tcp", to: client.ipv4, port: 7000 })),
  );
  expect(findingsOf(await report(), "local-ports")).toEqual([
    `connections.local-ports-near-exhaustion to ${client.ipv4}:7000`,
  ]);
  for (const connection of open) await connection.close();
  await node.exec("sysctl", ["-qw", "net.ipv4.ip_local_port_range=32768 60999"]);
});

it("says what became of every check, and ends accordingly", async () => {
  const { stdout, exitCode } = await audit("--fail-on", "low", ...EXPECTED);
  expect(stdout).toMatch(/^CHECK +STATUS +EXAMINED +ABOUT\nlisteners +Findings +3 /);
  expect(stdout).toMatch(/\nmedium {2}listeners.unexpected {2}UDP 198.18.0.11:5353 /);
  expect(exitCode).toBe(1);
});

it("protects the ports that a policy judges", async () => {
  const policy = `
apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata: {name: workers}
spec: {mode: Enforce, firewall: {inbound: {ports: ["8000-8999"]}}}
`;
  const args = ["audit", "--skip-probes", "all", "--json", "-f", "-"];
  const { stdout } = await node.tryExec(process.execPath, [main, ...args], { input: policy });
  const found: Report = JSON.parse(stdout);
  expect(found.protectedPorts).toEqual(["8000-8999"]);
  expect(found.listeners.map(({ port, reach }) => `${port} ${reach}`)).toEqual(["8080 Nobody"]);
});

it("does not audit a container's network in the host's name", async () => {
  const { exitCode, stderr } = await audit("--root", "/proc/self/root");
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: expect.stringMatching(/the host's network: run it privileged/),
  });
});

it("leaves nothing running", async () => {
  await audit();
  await waitFor(
    "only the traffic process to be left",
    async () => {
      const { stdout } = await node.exec("ip", ["netns", "pids", node.namespace]);
      return stdout.trim().split("\n").length <= 2 || undefined;
    },
    { timeoutMilliseconds: 30_000 },
  );
});
