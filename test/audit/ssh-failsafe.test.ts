import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AgentLab, startAgentLab } from "../cluster/agent/agent-lab.ts";
import type { LabProcess } from "../lab/lab-process.ts";
import { waitFor } from "../lab/wait-for.ts";
import { assigned } from "../unit/plan/policies.ts";
import { startServer } from "./servers/server-root.ts";

const stranger = "192.0.2.7";
/** Beyond what the install's failsafes open; trusts nobody. */
const closed = assigned(
  { firewall: { inbound: { ports: ["1024-65535"], trustCluster: false, deny: [{ name: "all" }] } } },
  "closed",
);

let lab: AgentLab;
let agent: LabProcess;
let server: LabProcess;

beforeAll(async () => {
  lab = await startAgentLab([`${stranger}/24`]);
  server = await sshd("sshd", 2222);
  await sshd("mallory", 2323, "nobody");
  agent = await lab.startAgent();
  await lab.assign([closed]);
  await lab.statusWhere("the policy to be enforced", ({ counts }) => counts?.enforced === 1);
});
afterAll(() => lab?.close());

/** A real one. */
async function sshd(name: string, port: number, user = "root"): Promise<LabProcess> {
  const folder = join(lab.node.folder, name);
  await mkdir(folder, { recursive: true });
  const key = join(lab.node.folder, "ssh.key");
  await lab.node.tryExec("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  await copyFile(key, join(folder, "ssh.key"));
  const options = ["-D", "-e", "-f", "/dev/null", "-h", "/lab/ssh.key", "-o", "PidFile=none", "-p", `${port}`];
  return startServer(lab.node, { name, user, command: ["/usr/sbin/sshd", ...options], ports: [port] });
}

async function reaches(port: number): Promise<boolean> {
  const traffic = await lab.outside.traffic();
  return (await traffic.connect({ to: lab.node.ipv4, port, from: stranger })).outcome !== "timeout";
}

const foundSsh = async () => (await lab.status())?.failsafes?.find(({ name }) => name === "found-ssh");

it("keeps the port of the node's SSH server open to everybody, and says by what it was found", async () => {
  expect(await reaches(2222)).toBe(true);
  expect(await foundSsh()).toMatchObject({
    ports: "2222",
    peers: "Everybody",
    origin: "Found",
    evidence: expect.stringMatching(/\/usr\/sbin\/sshd listens \(pid \d+\)$/),
  });
});

it("opens nothing for the same program where anybody else started it", async () => {
  expect((await lab.node.exec("ss", ["-Hltn"])).stdout).toContain(":2323 ");
  expect(await reaches(2323)).toBe(false);
});

it("stays open over restarts of both, and writes no rule for that", async () => {
  const rules = await lab.rules();
  await server.stop();
  await agent.stop();
  agent = await lab.startAgent();
  await agent.waitForLog(/policies enforced/, 30_000);
  expect(await lab.rules()).toBe(rules);
  server = await sshd("sshd", 2222);
  expect(await reaches(2222)).toBe(true);
  expect(await lab.rules()).toBe(rules);
});

it("follows the server to another port within a minute", async () => {
  await server.stop();
  server = await sshd("sshd", 2022);
  await waitFor("the new port to be open", async () => ((await reaches(2022)) ? true : undefined), {
    timeoutMilliseconds: 60_000,
    lastSeen: () => agent.log().slice(-1_000),
  });
  await lab.statusWhere("both ports to be said", ({ failsafes = [] }) =>
    failsafes.some(({ name, ports }) => name === "found-ssh" && ports === "2022,2222"),
  );
});
