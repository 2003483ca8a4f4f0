import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Host, Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { cuttingEnforcer } from "./cutting-enforcer.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";
import { sendSctp } from "./send-sctp.ts";

const PORT = 8443;

let lab: Lab;
let node: Node;
let client: Host;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  client = await lab.client("outside");
  enforcer = await createEnforcer(node);
  // Nothing listens, so each packet that passes is answered by ICMP, which is limited.
  await node.exec("sysctl", ["-qw", "net.ipv4.icmp_ratelimit=0"]);
  const counters = ["INIT", "DATA"].map((chunk) => `-A INPUT -p sctp -m sctp --chunk-types any ${chunk}`);
  const input = ["*security", ...counters, "COMMIT", ""].join("\n");
  for (const host of [node, client]) await host.exec("iptables-nft-restore", [], { input });
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

/** Packets of this chunk type that passed all of `host`'s filters so far. */
async function seen(host: Host, chunk: "INIT" | "DATA"): Promise<number> {
  const saved = await host.exec("iptables-nft-save", ["-c", "-t", "security"]);
  return Number(new RegExp(`\\[(\\d+):\\d+\\] -A INPUT .* ${chunk}$`, "m").exec(saved.stdout)?.[1]);
}

/** Whether an INIT arrives. The DATA chunk behind it, which is of no association to open, always must. */
async function initArrives(from: Host, to: Host): Promise<boolean> {
  const [inits, data] = [await seen(to, "INIT"), await seen(to, "DATA")];
  await sendSctp(from, to.ipv4, PORT, "INIT");
  await sendSctp(from, to.ipv4, PORT, "DATA");
  await expect.poll(() => seen(to, "DATA"), { timeout: 30_000 }).toBe(data + 1);
  return (await seen(to, "INIT")) > inits;
}

async function withAndWithout(from: Host, to: Host, firewall: object): Promise<{ without: boolean; with: boolean }> {
  const without = await initArrives(from, to);
  await enforcer.enforce({ sctp: { firewall } });
  return { without, with: await initArrives(from, to) };
}

it.each(["Drop", "Reject"])(
  "judges an INIT that comes in, and nothing of an association under way (%s)",
  async (defaultAction) => {
    const inbound = { protocols: ["SCTP"], defaultAction };
    expect(await withAndWithout(client, node, { inbound })).toEqual({ without: true, with: false });
  },
);

it.each(["Drop", "Reject"])(
  "judges an INIT that goes out, and nothing of an association under way (%s)",
  async (defaultAction) => {
    const outbound = { protocols: ["SCTP"], defaultAction };
    expect(await withAndWithout(node, client, { outbound })).toEqual({ without: true, with: false });
  },
);

it("lets in whom an allow names", async () => {
  const allow = [{ name: "client", from: [{ ipBlock: { cidr: `${client.ipv4}/32` } }], protocols: ["SCTP"] }];
  const inbound = { protocols: ["TCP", "SCTP"], allow };
  expect(await withAndWithout(client, node, { inbound })).toEqual({ without: true, with: true });
});

it("is not judged by a policy that does not name it", async () => {
  expect(await withAndWithout(client, node, { inbound: {} })).toEqual({ without: true, with: true });
});

it("answers a rejected INIT", async () => {
  const told = "-p icmp -m icmp --icmp-type 3/3";
  await client.exec("iptables-nft", ["-A", "INPUT", ...told.split(" ")]);
  await enforcer.enforce({ sctp: { firewall: { inbound: { protocols: ["SCTP"], defaultAction: "Reject" } } } });
  await sendSctp(client, node.ipv4, PORT, "INIT");
  const answers = async () => (await client.exec("iptables-nft-save", ["-c", "-t", "filter"])).stdout;
  await expect.poll(answers, { timeout: 30_000 }).toMatch(/^\[1:\d+\] -A INPUT -p icmp /m);
});

it.each(["Keep", "Cut"])("an association under way that is refused: %s", async (existing) => {
  const ends = ["-s", client.ipv4, "-d", node.ipv4, "--sport", "40000", "--dport", `${PORT}`];
  const tags = ["--orig-vtag", "16909060", "--reply-vtag", "7"];
  await enforcer.kernel.prime();
  await node.exec("conntrack", ["-F"]);
  await node.exec("conntrack", ["-I", "-p", "sctp", ...ends, ...tags, "--state", "ESTABLISHED", "-t", "600"]);
  const cutter = cuttingEnforcer(enforcer);
  await cutter.enforce({ sctp: { firewall: { existing, inbound: { protocols: ["SCTP"] } } } });
  const [kept, cut] = existing === "Keep" ? [1, 0] : [0, 1];
  expect(cutter.guard.ofPolicy("sctp")).toMatchObject({ kept, cut });
  const before = await seen(node, "DATA");
  await sendSctp(client, node.ipv4, PORT, "DATA");
  // To another port, which nothing refuses: when it has arrived, so would have the first.
  await sendSctp(client, node.ipv4, 1000, "DATA");
  await expect.poll(() => seen(node, "DATA"), { timeout: 30_000 }).toBe(before + 1 + kept);
});
