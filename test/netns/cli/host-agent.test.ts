import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { commandsRunBy } from "../../documentation/accounts.ts";
import { createHostRoot } from "../../lab/host-root.ts";
import type { Host } from "../../lab/hosts.ts";
import { killOnceApplied } from "../../lab/kill-once-applied.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { type LabProcess, tail } from "../../lab/lab-process.ts";
import { operatorProgram } from "../../lab/operator-program.ts";
import { waitFor } from "../../lab/wait-for.ts";

const [program, ...first] = operatorProgram;
/** As a reader of the documents types it, but for the folder. */
const [documented] = commandsRunBy("test/netns/cli/host-agent.test.ts");
const office = "203.0.113.7";
const stranger = "198.51.100.9";
const PORT = 8443;
const LIMITS = { timeoutMilliseconds: 60_000, intervalMilliseconds: 100 } as const;

/** Programs are started, and the machine may be under load. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let lab: Lab;
let outside: Host;
let server: Host;
let servers = 0;
let agent: LabProcess;
let flags: readonly string[];

beforeAll(async () => {
  lab = await createLab();
  outside = await lab.client("outside", { sources: [`${office}/24`, `${stranger}/24`] });
});
afterAll(() => lab?.close());

beforeEach(async () => {
  server = await lab.client(`server${servers++}`);
  await (await server.traffic()).listen("tcp", [PORT]);
  await mkdir(join(server.folder, "policies"));
  const root = await createHostRoot(join(server.folder, "root"));
  const sysctls = ["--sysctl-dir", join(server.folder, "sysctl.d"), "--prime-seconds", "0"];
  flags = ["--state-dir", join(server.folder, "state"), ...sysctls, "--host-root", root];
});
afterEach(() => agent?.stop());

const policy = (cidr: string, more = "") => `
apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata: {name: host}
spec:
  mode: Enforce
  ephemeralPorts: {range: "40000-50000", persist: true}
  firewall:
    inbound:
      allow: [{name: office, from: [{ipBlock: {cidr: ${cidr}}}]}]
${more}`;
const write = (text: string, name = "host.yaml") => writeFile(join(server.folder, "policies", name), text);

async function start(): Promise<void> {
  const [, ...words] = (documented?.text ?? "").split(" ");
  const args = words.map((word) => (word === "/etc/port-hardening" ? join(server.folder, "policies") : word));
  agent = await server.spawn("agent", program, [...first, ...args, ...flags, "--health-port", "0"]);
}

async function reaches(from: string): Promise<boolean> {
  const { outcome } = await (await outside.traffic()).connect({ from, to: server.ipv4, port: PORT });
  return outcome === "connected";
}

/** Until the office reaches the server, or not, and the stranger does not. */
async function holds(wanted: { readonly office: boolean; readonly stranger: boolean }): Promise<void> {
  let seen = {};
  await waitFor(
    `office and stranger to be ${JSON.stringify(wanted)}`,
    async () => {
      const now = { office: await reaches(office), stranger: await reaches(stranger) };
      seen = now;
      return now.office === wanted.office && now.stranger === wanted.stranger ? true : undefined;
    },
    { ...LIMITS, lastSeen: () => `${JSON.stringify(seen)}\n${tail(agent.log(), 5)}` },
  );
}

/** What a person finds on the host, when it is as `is` says. */
async function status(is: (status: NodeStateStatus) => boolean): Promise<NodeStateStatus> {
  let seen = "";
  return waitFor(
    "the status on the host",
    async () => {
      seen = await readFile(join(server.folder, "state/status.json"), "utf8");
      const found: NodeStateStatus = JSON.parse(seen);
      return is(found) ? found : undefined;
    },
    { ...LIMITS, lastSeen: () => `${seen}\n${tail(agent.log(), 5)}` },
  );
}
const enforced = ({ policies }: NodeStateStatus) => policies?.[0]?.state === "Enforced";
const flush = () => server.exec("nft", ["flush", "ruleset"]);

it("follows the files of a folder, without a cluster, and says on the host what it measured", async () => {
  await write(policy("203.0.113.0/24"));
  await start();
  await holds({ office: true, stranger: false });
  const { hash } = (await status(enforced)).policies?.[0] ?? {};
  await write(policy("198.51.100.0/24"));
  await holds({ office: false, stranger: true });
  expect((await status((now) => enforced(now) && now.policies?.[0]?.hash !== hash)).policies).toHaveLength(1);
});

it("repairs what somebody else takes away", async () => {
  await write(policy("203.0.113.0/24"));
  await start();
  await status(enforced);
  await flush();
  await holds({ office: true, stranger: false });
  expect((await status(({ drift }) => (drift?.count ?? 0) > 0)).drift?.last?.by).toMatch(/nft/);
});

it("has all in force again after a boot, also with the folder gone, from what was confirmed last", async () => {
  await write(policy("203.0.113.0/24"));
  await start();
  await status(enforced);
  await agent.stop();
  // As a boot leaves it: no rules, no sets, the kernel's own settings; what is in sysctl.d is systemd's to apply.
  await flush();
  await server.exec("ipset", ["destroy"]);
  await server.exec("sysctl", ["-qw", "net.ipv4.ip_local_port_range=32768 60999"]);
  await rm(join(server.folder, "policies"), { recursive: true });
  expect(await reaches(stranger)).toBe(true);
  await start();
  await holds({ office: true, stranger: false });
  expect(await range()).toBe("40000\t50000");
  const persisted = await readFile(join(server.folder, "sysctl.d/99-port-hardening.conf"), "utf8");
  expect(persisted).toContain("net.ipv4.ip_local_port_range");
});

it("leaves the host as it is where a file is not understood or none is left, and says why", async () => {
  await write(policy("203.0.113.0/24"));
  await start();
  await status(enforced);
  await write(policy("198.51.100.0/24", "  surprise: true\n"));
  await agent.waitForLog(/surprise.*not understood/s, 60_000);
  await holds({ office: true, stranger: false });
  await rm(join(server.folder, "policies/host.yaml"));
  await agent.waitForLog(/there is no .yaml/, 60_000);
  await holds({ office: true, stranger: false });
  expect(await range()).toBe("40000\t50000");
});

/** A firewall of the network that lets through what comes from the usual ports alone. */
const firewall = (verb: "-I" | "-D") => {
  const rule = ["-p", "tcp", "--syn", "-s", server.ipv4, "--sport", "20000:29999", "-j", "DROP"];
  return lab.root.exec("iptables-nft", ["-w", "10", verb, "INPUT", ...rule]);
};
/** It cuts the host off where that firewall is. */
const fatal = (seconds: number) =>
  policy("198.51.100.0/24", `  rollout: {confirmTimeoutSeconds: ${seconds}}\n`).replace("40000-50000", "20000-29999");
const range = async () => (await server.exec("sysctl", ["-n", "net.ipv4.ip_local_port_range"])).stdout.trim();

it("takes a change back that cuts the host off from its gateway, and tries it again when it is asked to", async () => {
  await write(policy("203.0.113.0/24"));
  await start();
  await status(enforced);
  await firewall("-I");
  await write(fatal(60));
  const { policies } = await status(({ policies: now }) => now?.[0]?.state === "RolledBack");
  expect(policies?.[0]?.message).toMatch(/^rolled back: gateway \S+ answered before the change, not behind it/);
  expect(await range()).toBe("40000\t50000");
  await holds({ office: true, stranger: false });
  expect(agent.log().match(/rolling back/g)).toHaveLength(1);
  await firewall("-D");
  await write(fatal(60).replace("{name: host}", '{name: host, annotations: {porthardening.io/retry-at: "now"}}'));
  await holds({ office: false, stranger: true });
  await status(enforced);
});

it("is taken back by a guard that nobody had to start, where it is killed in the midst of that", async () => {
  await write(policy("203.0.113.0/24"));
  await start();
  await status(enforced);
  const killed = killOnceApplied(server, join(server.folder, "state/guard"), agent.pid);
  await firewall("-I");
  await write(fatal(8));
  await killed;
  await holds({ office: false, stranger: true });
  await holds({ office: true, stranger: false });
  expect(await range()).toBe("40000\t50000");
  await start();
  const { policies } = await status(({ policies: now }) => now?.[0]?.state === "RolledBack");
  expect(policies?.[0]?.message).toMatch(/^rolled back by the guard/);
});
