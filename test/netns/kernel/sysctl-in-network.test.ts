import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ToolMissingError } from "../../../src/kernel/errors.ts";
import { localHost } from "../../../src/kernel/local-host.ts";
import { sysctlInNetwork } from "../../../src/kernel/sysctl-in-network.ts";
import type { Host } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";

const KEY = "net.ipv4.ip_local_port_range";
let lab: Lab;
let host: Host;

beforeAll(async () => {
  lab = await createLab();
  host = await lab.node("node");
  await host.exec("sysctl", ["-w", `${KEY}=50000 60000`]);
});
afterAll(() => lab?.close());

describe("a sysctl in the network of a process", () => {
  it("is that network's own, not that of who asks", async () => {
    const { pid } = await host.spawn("pause", "sleep", ["infinity"]);
    const read = sysctlInNetwork(localHost());
    // The process is there a moment before it has entered its network.
    await expect.poll(() => read(pid, KEY), { timeout: 30_000 }).toBe("50000\t60000");
    expect(await read(process.pid, KEY)).not.toBe("50000\t60000");
  });

  it("is nothing where the process has ended", async () => {
    const ended = await host.spawn("pause", "sleep", ["infinity"]);
    await ended.stop();
    expect(await sysctlInNetwork(localHost())(ended.pid, KEY)).toBeUndefined();
  });

  it("is told apart from a machine without nsenter", async () => {
    await expect(sysctlInNetwork(localHost({ path: lab.folder }))(process.pid, KEY)).rejects.toThrow(ToolMissingError);
  });
});
