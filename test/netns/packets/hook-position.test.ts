import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

const stranger = "198.51.100.9";
const policy = { firewall: { inbound: {}, outbound: { ports: ["1024-65535"] } } };

let lab: Lab;
let node: Node;
let inside: Traffic;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  const client = await lab.client("outside", { sources: [`${stranger}/24`] });
  [inside, outside] = await Promise.all([node.traffic(), client.traffic()]);
  await inside.listen("tcp", [8443]);
  await outside.listen("tcp", [8443]);
});
afterAll(() => lab?.close());
beforeEach(async () => {
  // Each with a kernel that moved nothing yet.
  enforcer = await createEnforcer(node);
  for (const table of ["mangle", "filter"]) await iptables("-t", table, "-F");
  await enforcer.enforce({ policy });
});

const iptables = (...args: string[]) => node.exec("iptables-nft", args);
const hooked = async (table: string, chain: string) =>
  (await iptables("-t", table, "-S", chain)).stdout.split("\n").filter((line) => line.startsWith("-A"));

async function comesIn(): Promise<boolean> {
  return (await outside.connect({ from: stranger, to: node.ipv4, port: 8443 })).outcome === "connected";
}
async function goesOut(): Promise<boolean> {
  return (await inside.connect({ to: stranger, port: 8443 })).outcome === "connected";
}
const evasions = () => enforcer.kernel.evasions();

it("holds behind another agent's jump that lets nothing new past, which stays where it is", async () => {
  await iptables("-t", "mangle", "-N", "AGENT");
  await iptables("-t", "mangle", "-A", "AGENT", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT");
  await iptables("-t", "mangle", "-A", "AGENT", "-m", "mark", "--mark", "0x10000/0x10000", "-j", "ACCEPT");
  await iptables("-t", "mangle", "-I", "PREROUTING", "-j", "AGENT");
  const before = await hooked("mangle", "PREROUTING");
  await enforcer.enforce({ policy });
  expect(await hooked("mangle", "PREROUTING")).toEqual(before);
  expect(before[0]).toContain("AGENT");
  expect([await comesIn(), evasions()]).toEqual([false, []]);
});

it.each([
  { table: "mangle", chain: "PREROUTING", passes: comesIn },
  { table: "filter", chain: "OUTPUT", passes: goesOut },
])(
  "overtakes one in $chain that accepts new connections, once; then says what gets past",
  async ({ table, chain, passes }) => {
    const jump = ["-t", table, "-I", chain, "-j", `AGENT-${chain}`];
    await iptables("-t", table, "-N", `AGENT-${chain}`);
    await iptables("-t", table, "-A", `AGENT-${chain}`, "-p", "tcp", "--dport", "8000:9000", "-j", "ACCEPT");
    await iptables(...jump);
    expect(await passes()).toBe(true);
    await enforcer.enforce({ policy });
    expect([await passes(), evasions()]).toEqual([false, []]);
    await iptables(...jump);
    const taken = await hooked(table, chain);
    await enforcer.enforce({ policy });
    expect(await hooked(table, chain)).toEqual(taken);
    expect(await passes()).toBe(true);
    const rule = `AGENT-${chain} -p tcp -m tcp --dport 8000:9000 -j ACCEPT`;
    expect(evasions()).toMatchObject([{ rule, ahead: `-j AGENT-${chain}`, policies: ["policy"] }]);
    await iptables("-t", table, "-F", `AGENT-${chain}`);
    await enforcer.enforce({ policy });
    expect([await passes(), evasions()]).toEqual([false, []]);
  },
);
