import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { NodeStateStatus } from "../../../src/api/node-state.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { LabProcess } from "../../lab/lab-process.ts";
import { served } from "../../lab/operator-cluster.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { assigned } from "../../unit/plan/policies.ts";
import { type AgentLab, lastApplied, nodeName, startAgentLab } from "./agent-lab.ts";

const allowed = "203.0.113.7";
const refused = "192.0.2.7";
const workers = assigned(
  {
    ephemeralPorts: { range: "49152-65535", reserved: [50000] },
    firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } },
  },
  "workers",
);

let lab: AgentLab;
let agent: LabProcess;
/** Rules, sets and range of the node before any agent ran. */
let untouched: { rules: string; range: string };

beforeAll(async () => {
  lab = await startAgentLab([`${allowed}/24`, `${refused}/24`]);
  untouched = { rules: await lab.everything(), range: await lab.sysctl("net.ipv4.ip_local_port_range") };
});
afterAll(() => lab?.close());

/** Each test begins with the agent at work and `workers` enforced. */
beforeEach(async () => {
  agent = await lab.startAgent();
  await lab.assign([workers]);
  await enforced(agent);
  // From its disk it first enforces what the test before had assigned.
  await lab.statusWhere("nothing else to be assigned", (status) => status.counts?.assigned === 1);
});
afterEach(async () => {
  await agent.stop();
});

const is =
  (state: "Enforced" | "Failed" | "NotEnforceable", name = "workers") =>
  (status: NodeStateStatus) =>
    status.policies?.find((policy) => policy.name === name)?.state === state;

/** Status may still be what an agent before wrote: the log says that this one has enforced. */
async function enforced(by: LabProcess): Promise<NodeStateStatus> {
  await by.waitForLog(/policies enforced/, 15_000);
  return lab.statusWhere("workers to be Enforced", is("Enforced"));
}

async function reaches(from: string): Promise<boolean> {
  const traffic = await lab.outside.traffic();
  return (await traffic.connect({ to: lab.node.ipv4, port: served.hostPort, from })).outcome === "connected";
}

/** Our rules gone and our sets too, as after a reboot. */
async function forgetRules(): Promise<void> {
  for (const family of ["ip", "ip6"]) await lab.node.exec("nft", ["flush", "table", family, "mangle"]);
  for (const family of ["ip", "ip6"]) await lab.node.exec("nft", ["delete", "table", family, "mangle"]);
  await lab.node.exec("ipset", ["destroy"]);
}

describe("an assigned policy", () => {
  it("is enforced on packets, and status says what was measured", async () => {
    const status = await enforced(agent);
    expect([await reaches(allowed), await reaches(refused)]).toEqual([true, false]);
    expect(await lab.sysctl("net.ipv4.ip_local_port_range")).toBe("49152\t65535");
    expect(status).toMatchObject({
      policies: [{ name: "workers", hash: workers.hash, uid: workers.uid }],
      counts: { assigned: 1, enforced: 1, failed: 0 },
      ephemeralPorts: { range: "49152-65535", reserved: "50000" },
      backend: expect.stringMatching(/^iptables-nft \d/),
      readBackHash: expect.stringMatching(/^[0-9a-f]+$/),
    });
    expect(status.conditions).toMatchObject([
      { type: "Ready", status: "True", observedGeneration: status.observedGeneration },
    ]);
  });

  it("lets what a refused source had open live on and counts it, or cuts it where it says so", async () => {
    await lab.assign([]);
    await lab.statusWhere("nothing to be assigned", (status) => status.counts?.assigned === 0);
    const traffic = await lab.outside.traffic();
    const open = await traffic.open({ to: lab.node.ipv4, port: served.hostPort, from: refused });
    const connections = (status: NodeStateStatus) => status.policies?.[0]?.existingConnections;
    await lab.assign([workers]);
    const kept = await lab.statusWhere("one to be kept", (status) => connections(status)?.kept === 1);
    const top = { direction: "Inbound", peer: refused, protocol: "TCP", port: served.hostPort, connections: 1 };
    expect(connections(kept)).toEqual({ kept: 1, cut: 0, top: [top] });
    expect(await open.exchange()).toBe("echoed");
    await lab.assign([assigned({ firewall: { existing: "Cut", inbound: {} } }, "workers")]);
    await lab.statusWhere("one to be cut", (status) => connections(status)?.cut === 1);
    expect(await open.exchange(700)).toBe("silent");
    await open.close();
  });

  it("that the kernel refuses changes nothing, and status has the tool's words", async () => {
    const before = await lab.everything();
    const bad = assigned({ sysctls: { "net.ipv4.tcp_syncookies": "99999" }, rateLimits: [limit] }, "bad");
    await lab.assign([workers, bad]);
    const status = await lab.statusWhere("bad to be Failed", is("Failed", "bad"));
    expect(status.policies?.find(({ name }) => name === "bad")?.message).toMatch(/tcp_syncookies.*EINVAL/);
    expect(status.policies?.find(({ name }) => name === "workers")?.state).toBe("Enforced");
    expect(await lab.everything()).toBe(before);
  });

  it("that is malformed hurts only itself", async () => {
    await lab.assign([{ ...workers, hash: "0123456789abcdef" }, limited]);
    const status = await lab.statusWhere("workers to be Failed", is("Failed"));
    expect(status.policies?.find(({ name }) => name === "workers")?.message).toContain(
      `${workers.hash} stays enforced`,
    );
    expect(status.policies?.find(({ name }) => name === "limited")?.state).toBe("Enforced");
    expect(await reaches(refused)).toBe(false);
  });

  it("that is taken away leaves the node as it was before the first", async () => {
    await lab.assign([]);
    await lab.statusWhere("nothing to be assigned", (status) => status.counts?.assigned === 0);
    expect(await lab.everything()).toBe(untouched.rules);
    expect(await lab.sysctl("net.ipv4.ip_local_port_range")).toBe(untouched.range);
    expect(await lab.sysctl("net.ipv4.ip_local_reserved_ports")).toBe("");
    expect(await reaches(refused)).toBe(true);
  });
});

const limit = { name: "slow", newConnections: { limit: 10, per: "Minute", burst: 20 } };
const limited = assigned({ rateLimits: [limit] }, "limited");

describe("drift", () => {
  it("by a deleted chain is repaired at once, and status names who did it", async () => {
    const count = (await lab.status())?.drift?.count ?? 0;
    await lab.node.exec("iptables", ["-t", "mangle", "-F", "PH-IN"]);
    const { drift } = await lab.statusWhere("the repair", (status) => (status.drift?.count ?? 0) > count);
    expect(drift?.last?.by).toMatch(/^process \d+ \(iptables\)$/);
    expect(drift?.last?.what.join()).toContain("PH-IN");
    expect(drift?.last?.repairedMilliseconds).toBeLessThan(2_000);
    expect(await reaches(refused)).toBe(false);
  });

  it("of a sysctl is found by polling", async () => {
    // The first may be found by the look that follows the start; no event leads to the second.
    for (const time of ["first", "second"]) {
      await lab.node.exec("sysctl", ["-w", "net.ipv4.ip_local_port_range=1024 65535"]);
      await waitFor(
        `the range to be back the ${time} time`,
        async () => ((await lab.sysctl("net.ipv4.ip_local_port_range")) === "49152\t65535" ? true : undefined),
        { timeoutMilliseconds: 10_000 },
      );
    }
  });

  it("is none where somebody else writes rules of their own", async () => {
    const before = (await lab.status())?.drift?.count;
    await lab.node.exec("iptables", ["-t", "mangle", "-A", "FORWARD", "-j", "ACCEPT"]);
    await lab.node.exec("iptables", ["-t", "mangle", "-D", "FORWARD", "-j", "ACCEPT"]);
    // A change after it that is reported: by then the other was looked at.
    await lab.assign([workers, limited]);
    const after = await lab.statusWhere("limited to be Enforced", is("Enforced", "limited"));
    expect(after.drift?.count).toBe(before);
  });
});

describe("what else is on the node", () => {
  const said = (status: NodeStateStatus) => status.policies?.find(({ name }) => name === "workers");

  it("is NotEnforceable where somebody takes the first place again and lets connections past, until they stop", async () => {
    const count = (await lab.status())?.drift?.count ?? 0;
    const accept = ["PREROUTING", "-p", "tcp", "--dport", "8443", "-j", "ACCEPT"];
    await lab.node.exec("iptables", ["-t", "mangle", "-I", ...accept]);
    await lab.statusWhere("our hook to be moved ahead", (status) => (status.drift?.count ?? 0) > count);
    expect(await reaches(refused)).toBe(false);
    await lab.node.exec("iptables", ["-t", "mangle", "-I", ...accept]);
    const status = await lab.statusWhere("workers to be NotEnforceable", is("NotEnforceable"));
    expect(said(status)?.message).toMatch(
      /PREROUTING \(v4\): the rule "PREROUTING -p tcp -m tcp --dport 8443 -j ACCEPT".*put there by process \d+ \(iptables\)/,
    );
    expect(status.conditions).toMatchObject([{ type: "Ready", status: "False", reason: "HookEvaded" }]);
    expect(await reaches(refused)).toBe(true);
    for (const _ of ["overtaken", "ahead"]) await lab.node.exec("iptables", ["-t", "mangle", "-D", ...accept]);
    await lab.statusWhere("workers to be Enforced again", is("Enforced"));
    expect(await reaches(refused)).toBe(false);
  });

  it("is NotEnforceable while Cilium serves NodePorts by eBPF, though the kernel holds every rule", async () => {
    await agent.stop();
    // A bpf file system that only this agent sees. Cilium pins a map of this name there; whoever only looks sees a name.
    const map = "/sys/fs/bpf/tc/globals/cilium_snat_v4_external";
    const mount = `mount -t bpf bpf /sys/fs/bpf && mkdir -p ${map} && exec "$@"`;
    agent = await lab.startAgent([], ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]);
    const status = await lab.statusWhere("workers to be NotEnforceable", is("NotEnforceable"));
    expect(said(status)?.reason).toBe("ServicesBypassed");
    expect(await reaches(refused)).toBe(false);
    await lab.node.exec("nsenter", ["--mount", "--target", `${agent.pid}`, "rmdir", map]);
    await lab.statusWhere("workers to be Enforced again", is("Enforced"));
  });

  it("is said at a policy that is enforced: a listener in the range, and a file that is read after ours", async () => {
    await (await lab.node.traffic()).listen("tcp", [50055]);
    await writeFile(join(lab.node.sysctlDirectory, "99-sysctl.conf"), "net.ipv4.ip_local_port_range = 1024 65535\n");
    await lab.assign([assigned({ ephemeralPorts: { range: "49153-65535" } }, "workers")]);
    const status = await lab.statusWhere("the listener to be said", (now) => said(now)?.reason === "ListenerInRange");
    expect(said(status)).toMatchObject({ state: "Enforced" });
    expect(said(status)?.message).toMatch(
      /TCP 50055;.*add 50055 to ephemeralPorts.reserved.*99-sysctl.conf line 1 sets/,
    );
    await rm(join(lab.node.sysctlDirectory, "99-sysctl.conf"));
  });
});

describe("a restart of the agent", () => {
  it("writes no rule, and counters keep counting", async () => {
    expect(await reaches(refused)).toBe(false);
    const rules = await lab.rules();
    const status = await lab.status();
    await agent.stop();
    expect(await reaches(refused)).toBe(false);
    agent = await lab.startAgent();
    await enforced(agent);
    expect(await lab.rules()).toBe(rules);
    expect(agent.log()).toContain('"unchanged":true');
    const counters = (await lab.node.exec("iptables-save", ["-c", "-t", "mangle"])).stdout;
    const dropped = [...counters.matchAll(/^\[(\d+):\d+\] .*workers\/default.*-j DROP$/gm)].map(([, n]) => Number(n));
    expect(dropped.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(2);
    expect((await lab.status())?.appliedAt).toBe(status?.appliedAt);
  });

  it("ends within five seconds of SIGTERM, with code 0, and rules stay", async () => {
    const rules = await lab.rules();
    const start = performance.now();
    expect(await agent.stop(10_000)).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(await lab.rules()).toBe(rules);
    expect(await reaches(refused)).toBe(false);
  });
});

describe("with the API server away", () => {
  afterEach(() => lab.controlPlane.restart());

  it("rules stay and are repaired", async () => {
    await lab.controlPlane.stop();
    await lab.node.exec("iptables", ["-t", "mangle", "-F", "PH-IN"]);
    await agent.waitForLog(/drift repaired/, 5_000);
    expect([await reaches(allowed), await reaches(refused)]).toEqual([true, false]);
    expect(await agent.stop()).toMatchObject({ code: 0 });
    expect(await reaches(refused)).toBe(false);
  });

  it("a rebooted node is protected from what is on disk, and reports when the API server is back", async () => {
    await lab.controlPlane.stop();
    await agent.stop();
    await forgetRules();
    expect(await reaches(refused)).toBe(true);
    agent = await lab.startAgent();
    await agent.waitForLog(/policies enforced/, 15_000);
    expect([await reaches(allowed), await reaches(refused)]).toEqual([true, false]);
    await lab.controlPlane.start();
    await lab.assign([workers, limited]);
    await lab.statusWhere("limited to be Enforced", is("Enforced", "limited"));
  });

  it("a state file that was cut is set aside, and the kernel is left as it is", async () => {
    await lab.controlPlane.stop();
    await agent.stop();
    const rules = await lab.rules();
    await truncate(lastApplied(lab.node), 100);
    agent = await lab.startAgent();
    await agent.waitForLog(/saved state is unusable/, 15_000);
    await agent.waitForLog(/watch failed/, 15_000);
    expect(await lab.rules()).toBe(rules);
    expect((await readFile(`${lastApplied(lab.node)}.unusable`)).length).toBe(100);
  });
});

describe("the NodeState", () => {
  it("that is deleted leaves the rules, and one made anew is reported into", async () => {
    const rules = await lab.rules();
    await lab.admin.delete(resources.nodeStates, { name: nodeName });
    await agent.waitForLog(/this node has no NodeState/, 5_000);
    expect(await lab.rules()).toBe(rules);
    await lab.assign([workers]);
    await lab.statusWhere("workers to be Enforced", is("Enforced"));
    expect(await lab.rules()).toBe(rules);
  });

  it("stands beside a Lease that says that the agent lives", async () => {
    const lease = await waitFor(
      "the Lease",
      () => lab.admin.get(resources.leases, { namespace: "port-hardening", name: nodeName }),
      { timeoutMilliseconds: 30_000 },
    );
    expect(lease).toMatchObject({ spec: { holderIdentity: nodeName, leaseDurationSeconds: 180 } });
    const { spec } = lease as unknown as { spec: { renewTime: string } };
    expect(Date.now() - Date.parse(spec.renewTime)).toBeLessThan(70_000);
  });
});
