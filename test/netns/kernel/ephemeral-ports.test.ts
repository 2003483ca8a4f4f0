import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SysctlError } from "../../../src/kernel/errors.ts";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { createEnforcer, type Enforcer } from "../packets/enforcer.ts";
import { equal, nothing, RANGE, RESERVED } from "./samples.ts";

const applyRange = resolve(import.meta.dirname, "apply-range.ts");

let lab: Lab;
let node: Node;
let client: Host;
let enforcer: Enforcer;
beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  enforcer = await createEnforcer(node);
  client = await lab.client("client");
  await (await client.traffic()).listen("tcp", [443]);
});
afterAll(() => lab?.close());

const sysctl = async (key: string) => (await node.exec("sysctl", ["-n", key])).stdout.trim();

it("finds what listens in the node's network, and not what connects", async () => {
  const inside = await node.traffic();
  await inside.listen("tcp", [50051]);
  await inside.listen("udp", [51820]);
  await inside.open({ to: client.ipv4, port: 443 });
  const found = (await enforcer.kernel.listeningPorts()).map(({ protocol, port }) => `${protocol} ${port}`);
  // The traffic process itself listens for nobody.
  expect(found.sort()).toEqual(["TCP 50051", "UDP 51820"]);
});

it("reserves the NodePorts beside what is reserved, so that no outbound connection gets one, and gives them back", async () => {
  const traffic = await node.traffic();
  /**
   * Whether some outbound connections had a NodePort as their own port. The kernel goes through half of a range in order
   * from where it likes: 600 are more than the 512 of that half that are no NodePorts.
   */
  const takesNodePorts = async () => {
    const results = await traffic.connectAll(
      Array.from({ length: 600 }, () => ({ to: client.ipv4, port: 443 })),
      {
        concurrency: 100,
        timeoutMilliseconds: 30_000,
      },
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => "connected"));
    return results.some(({ localPort = 0 }) => localPort <= 32767);
  };
  await node.exec("sysctl", ["-w", `${RESERVED}=32768`]);
  const range = "31744-33791";
  await enforcer.enforce({ ports: { ephemeralPorts: { range, reserveNodePorts: true } } });
  expect([await sysctl(RESERVED), await takesNodePorts()]).toEqual(["30000-32768", false]);
  await enforcer.enforce({ ports: { ephemeralPorts: { range } } });
  expect([await sysctl(RESERVED), await takesNodePorts()]).toEqual(["32768", true]);
});

it("says why the kernel takes no range under the privileged ports, and what to do", async () => {
  await node.exec("sysctl", ["-w", `${RANGE}=50000 60000`, "net.ipv4.ip_unprivileged_port_start=50000"]);
  const failure = enforcer.kernel.apply({ ...nothing, sysctls: [equal(RANGE, "49152 65535")] });
  await expect(failure).rejects.toThrow(SysctlError);
  await expect(failure).rejects.toThrow(
    /begins under net.ipv4.ip_unprivileged_port_start, which is 50000 .*begin it at 50000 or above/,
  );
  expect(await sysctl(RANGE)).toBe("50000\t60000");
  await node.exec("sysctl", ["-w", "net.ipv4.ip_unprivileged_port_start=1024"]);
});

describe("on a host whose /etc is read-only", () => {
  /** A mount namespace of its own, so that only this process sees the folder so. */
  async function applyReadOnly(folder: string) {
    const command = `mount -t tmpfs -o ro none ${folder} && exec "$@"`;
    const program = [process.execPath, applyRange, join(node.folder, "ro-state"), folder, "40000 49999"];
    const args = ["--mount", "--propagation", "private", "sh", "-c", command, "sh", ...program];
    return JSON.parse((await node.exec("unshare", args)).stdout);
  }

  it("the range holds, the file is said to be missing, and a start after a reboot brings the range back", async () => {
    const folder = join(node.folder, "ro-sysctl.d");
    await mkdir(folder);
    const changed = expect.stringContaining("not 40000 49999");
    const told = { differences: [changed], again: [], left: [], measured: "40000\t49999" };
    const obstacle = expect.stringMatching(/^EROFS: read-only file system/);
    expect(await applyReadOnly(folder)).toEqual({ ...told, obstacle });
    await node.exec("sysctl", ["-w", `${RANGE}=32768 60999`]);
    expect(await applyReadOnly(folder)).toEqual({ ...told, obstacle });
  });
});

it("names the file that comes after ours by name and says otherwise", async () => {
  const folder = join(node.folder, "sysctl.d");
  await enforcer.enforce({ ports: { ephemeralPorts: { range: "49152-65535" } } });
  await writeFile(join(folder, "99-sysctl.conf"), `${RANGE} = 1024 65000\n`);
  const setting = equal(RANGE, "49152 65535");
  expect(await enforcer.kernel.sysctlOverrides([setting])).toMatchObject([
    { file: join(folder, "99-sysctl.conf"), line: 1 },
  ]);
});
