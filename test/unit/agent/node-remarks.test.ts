import { beforeEach, describe, expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const RANGE = "net.ipv4.ip_local_port_range";
const workers = assigned({ ephemeralPorts: { range: "49152-65535" } }, "workers");
const plain = assigned({ firewall: { inbound: {} } }, "plain");

/** A line of /proc/net/tcp or udp. */
const socket = (port: number, state: string, remotePort = 0) => {
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(4, "0");
  return `   0: 00000000:${hex(port)} 00000000:${hex(remotePort)} ${state} 00000000:00000000 00:00000000 00000000 0 0 1 1`;
};
const HEAD = "  sl  local_address rem_address   st";

let node: AgentNode;
beforeEach(() => {
  node = agentNode();
});

const listening = (file: string, ...lines: string[]) =>
  node.host.files.set(`/proc/net/${file}`, [HEAD, ...lines, ""].join("\n"));
async function enforced(...policies: ReturnType<typeof assigned>[]) {
  node.assign(policies);
  await node.pass();
  return said();
}
const said = () => node.status().policies?.map(({ state, reason, message }) => ({ state, reason, message }));
async function later(seconds: number) {
  for (const end = node.clock.now + seconds * 1000; node.clock.now < end; ) {
    node.clock.now += Math.max(1, await node.pass());
  }
  return said();
}

describe("a range that swallows a port on which something listens", () => {
  it("is said at the policy, with the way out, and fails nothing", async () => {
    listening("tcp", socket(8443, "0A"), socket(50051, "0A"));
    listening("tcp6", socket(50051, "0A"), socket(60000, "0A"));
    const [policy] = (await enforced(workers)) ?? [];
    expect(policy).toMatchObject({ state: "Enforced", reason: "ListenerInRange" });
    expect(policy?.message).toMatch(/49152-65535: TCP 50051, TCP 60000;.*add 50051,60000 to ephemeralPorts.reserved/);
    expect(node.status().conditions).toMatchObject([{ type: "Ready", status: "True" }]);
  });

  it("is none where the port is reserved, by whomever, or nothing listens but connects", async () => {
    node.host.sysctls.set("net.ipv4.ip_local_reserved_ports", "50051");
    listening("tcp", socket(50051, "0A"), socket(50052, "01", 443));
    listening("udp", socket(50053, "01", 53));
    expect(await enforced(workers)).toMatchObject([{ reason: "Enforced" }]);
  });

  it("takes a UDP socket for a server's when it is still there after ten seconds", async () => {
    listening("udp", socket(51820, "07"), socket(53000, "07"));
    expect(await enforced(workers)).toMatchObject([{ reason: "Enforced" }]);
    listening("udp", socket(51820, "07"));
    const [policy] = (await later(15)) ?? [];
    expect(policy?.message).toContain("UDP 51820;");
    expect(policy?.message).not.toContain("53000");
  });

  it("is looked for once a minute, and at once where another range is enforced", async () => {
    expect(await enforced(workers)).toMatchObject([{ reason: "Enforced" }]);
    listening("tcp", socket(50051, "0A"));
    await node.pass();
    expect(said()).toMatchObject([{ reason: "Enforced" }]);
    await later(61);
    expect(said()).toMatchObject([{ reason: "ListenerInRange" }]);
    await enforced(assigned({ ephemeralPorts: { range: "52000-65535" } }, "workers"));
    expect(said()).toMatchObject([{ reason: "Enforced" }]);
  });

  it("names ten and counts the others", async () => {
    listening("tcp", ...Array.from({ length: 12 }, (_, index) => socket(50000 + index, "0A")));
    const [policy] = (await enforced(workers)) ?? [];
    expect(policy?.message).toContain("TCP 50009 and 2 more;");
    expect(policy?.message).toContain("add 50000-50011 to");
  });
});

describe("a line of sysctl.d that is read after ours", () => {
  it("is named at the policy whose value it overrides, with the way out", async () => {
    node.host.files.set("/sysctl.d/99-sysctl.conf", `# local\n${RANGE} = 1024 65535\n`);
    const [first, second] = (await enforced(plain, workers)) ?? [];
    expect(first).toMatchObject({ reason: "Enforced" });
    expect(second).toMatchObject({ state: "Enforced", reason: "SysctlOverridden" });
    expect(second?.message).toMatch(/\/sysctl.d\/99-sysctl.conf line 2 sets .* = 1024 65535.*take that line away/);
  });
});

describe("a host whose /etc cannot be written", () => {
  const readOnly = () =>
    node.host.failWhen((step) =>
      step.kind === "WriteFile" && step.path.startsWith("/sysctl.d/")
        ? Object.assign(new Error("EROFS: read-only file system, open '/sysctl.d/x'"), { code: "EROFS" })
        : undefined,
    );

  it("has the settings all the same, and the policy says that a reboot forgets them", async () => {
    readOnly();
    const [first, second] = (await enforced(plain, workers)) ?? [];
    expect(node.host.sysctls.get(RANGE)).toBe("49152\t65535");
    expect(first).toMatchObject({ reason: "Enforced" });
    expect(second).toMatchObject({ state: "Enforced", reason: "NotPersisted" });
    expect(second?.message).toContain("EROFS: read-only file system");
  });

  it("is no drift, however often the file is tried again, and heals when it can be written", async () => {
    readOnly();
    await enforced(workers);
    await later(1_500);
    expect(node.status().drift).toEqual({ count: 0 });
    node.host.failWhen(() => undefined);
    await later(700);
    expect(said()).toMatchObject([{ reason: "Enforced" }]);
    expect(node.host.files.get("/sysctl.d/99-port-hardening.conf")).toContain(`${RANGE} = 49152 65535`);
  });

  it("gets them again when the agent starts after a reboot", async () => {
    readOnly();
    await enforced(workers);
    node.host.sysctls.set(RANGE, "32768\t60999");
    node.server.synced = false;
    node.restart();
    await node.pass();
    expect(node.host.sysctls.get(RANGE)).toBe("49152\t65535");
  });
});
