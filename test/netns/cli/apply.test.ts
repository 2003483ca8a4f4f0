import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { createHostRoot } from "../../lab/host-root.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { NetworkNamespace } from "../../lab/network-namespace.ts";
import { waitFor } from "../../lab/wait-for.ts";

const main = resolve(import.meta.dirname, "../../../src/main.ts");

let lab: Lab;
let host: NetworkNamespace;
let hosts = 0;
/** Where it keeps what it knows, and finds resolv.conf and sysctl.d. */
let places: readonly string[];

/** Programs are started, and the machine may be under load. */
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab?.close());

beforeEach(async () => {
  host = await lab.addNamespace(`host${hosts++}`);
  const root = await createHostRoot(join(host.folder, "root"));
  places = ["--state-dir", join(host.folder, "state")];
  await writeFile(join(host.folder, "policy.yaml"), policy("203.0.113.0/24"));
  await writeFile(join(host.folder, "other.yaml"), policy("198.51.100.0/24"));
  hostFlags = ["--sysctl-dir", join(host.folder, "sysctl.d"), "--host-root", root, "--prime-seconds", "0"];
});
let hostFlags: readonly string[];

const policy = (cidr: string) => `
apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata: {name: host}
spec:
  mode: Enforce
  ephemeralPorts: {range: "40000-50000"}
  firewall:
    inbound:
      allow: [{name: office, from: [{ipBlock: {cidr: ${cidr}}}]}]
`;

const apply = (file: string, ...flags: string[]) =>
  host.tryExec(process.execPath, [main, "apply", "-f", join(host.folder, file), ...places, ...hostFlags, ...flags], {
    timeoutMilliseconds: 60_000,
  });
const confirm = () => host.tryExec(process.execPath, [main, "confirm", ...places], { timeoutMilliseconds: 60_000 });

/** All that may change, as it is. */
async function state(): Promise<string> {
  const rules = (await host.exec("iptables-nft-save", [])).stdout.split("\n").filter((line) => !line.startsWith("#"));
  const ours = rules.filter((line) => line.includes("PH-") || line.startsWith("-A"));
  const sets = (await host.exec("ipset", ["save"])).stdout.replaceAll(/ (?:bucketsize|initval) \S+/g, "");
  const range = (await host.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"])).stdout;
  return [...ours, sets, range].join("\n");
}

async function becomes(wanted: string): Promise<void> {
  let seen = "";
  await waitFor("the host to be as it was", async () => ((seen = await state()) === wanted ? true : undefined), {
    timeoutMilliseconds: 60_000,
    intervalMilliseconds: 200,
    lastSeen: () => seen,
  });
}

it("enforces policies of files on this host, and the next ones in their place", async () => {
  const before = await state();
  expect(await apply("policy.yaml")).toMatchObject({ exitCode: 0, stdout: "enforced: host\n" });
  const enforced = await state();
  expect(enforced).not.toBe(before);
  expect(enforced).toContain("40000\t50000");
  expect(await apply("policy.yaml")).toMatchObject({ exitCode: 0, stdout: "enforced: host\n" });
  expect(await state()).toBe(enforced);
  expect(await apply("other.yaml")).toMatchObject({ exitCode: 0 });
  expect(await state()).not.toBe(enforced);
});

it("takes them back where nobody confirms in time", async () => {
  expect(await apply("policy.yaml")).toMatchObject({ exitCode: 0 });
  const before = await state();
  const { stdout } = await apply("other.yaml", "--confirm-within", "5");
  expect(stdout).toContain("taken back in 5 s");
  expect(stdout).toContain("porthardening confirm");
  await becomes(before);
  expect(await confirm()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("too late") });
  expect(await state()).toBe(before);
});

it("keeps them where somebody does, and has one change at a time wait for it", async () => {
  expect(await confirm()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("nothing waits") });
  expect(await apply("policy.yaml", "--confirm-within", "30")).toMatchObject({ exitCode: 0 });
  const enforced = await state();
  const second = await apply("other.yaml");
  expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("waits to be confirmed") });
  expect(await confirm()).toMatchObject({ exitCode: 0, stdout: "confirmed: it stays\n" });
  await wait(2_000);
  expect(await state()).toBe(enforced);
  expect(await apply("policy.yaml", "--confirm-within", "30")).toMatchObject({
    exitCode: 0,
    stdout: "enforced: host\n",
  });
});

it("does nothing on a host that somebody disengaged", async () => {
  const before = await state();
  await mkdir(join(host.folder, "state"), { recursive: true });
  await writeFile(join(host.folder, "state", "disengaged"), "");
  expect(await apply("policy.yaml")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("disengaged") });
  expect(await state()).toBe(before);
});
