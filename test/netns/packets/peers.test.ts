import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GroupAddresses } from "../../../src/plan/types.ts";
import type { Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Traffic } from "../../lab/traffic/traffic.ts";
import { nodesGroup } from "../../unit/plan/policies.ts";
import { createEnforcer, type Enforcer } from "./enforcer.ts";

/** Either side of the borders that exceptions below draw. */
const v4 = ["203.0.113.63", "203.0.113.64", "203.0.113.70", "203.0.113.127", "203.0.113.128", "198.51.100.9"];
const v6 = ["2001:db8:113::7", "2001:db8:113:1::7", "2001:db8:114::7", "fd00:51::9"];

/** Long for a packet within one machine; most of these tests wait for some that do not come. */
const PATIENCE = { timeoutMilliseconds: 400 };

let lab: Lab;
let node: Node;
let inside: Traffic;
let outside: Traffic;
let enforcer: Enforcer;

beforeAll(async () => {
  lab = await createLab();
  node = await lab.node("node");
  const sources = [...v4.map((address) => `${address}/24`), ...v6.map((address) => `${address}/64`)];
  const client = await lab.client("outside", { sources });
  [inside, outside] = await Promise.all([node.traffic(), client.traffic()]);
  await inside.listen("tcp", [8443]);
  await outside.listen("tcp", [8443]);
  enforcer = await createEnforcer(node);
}, 60_000);
afterAll(() => lab.close());
beforeEach(() => enforcer.clear());

/** Those of the outside's addresses that reach the node. */
async function letIn(): Promise<string[]> {
  const all = [...v4, ...v6];
  const attempts = all.map((from) => ({ from, to: from.includes(":") ? node.ipv6 : node.ipv4, port: 8443 }));
  const results = await outside.connectAll(attempts, PATIENCE);
  return all.filter((_, index) => results[index]?.outcome === "connected");
}

/** Those that the node reaches. */
async function reached(): Promise<string[]> {
  const all = [...v4, ...v6];
  const results = await inside.connectAll(
    all.map((to) => ({ to, port: 8443 })),
    PATIENCE,
  );
  return all.filter((_, index) => results[index]?.outcome === "connected");
}

const inbound = (scope: object, ...groups: GroupAddresses[]) =>
  enforcer.enforce({ p: { firewall: { inbound: scope } } }, groups);
const allow = (...from: object[]) => inbound({ allow: [{ name: "a", from }] });
const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
const without = (all: readonly string[], ...some: string[]) => all.filter((address) => !some.includes(address));

describe("exceptions of a block", () => {
  it("reach from their first address to their last, in both families", async () => {
    expect(await letIn()).toEqual([...v4, ...v6]);
    await allow(block("203.0.113.0/24", "203.0.113.64/26"), block("2001:db8:112::/47", "2001:db8:113:1::/64"));
    expect(await letIn()).toEqual(["203.0.113.63", "203.0.113.128", "2001:db8:113::7"]);
  });

  it("are taken out of their own peer only: another peer may bring a part of them back", async () => {
    await allow(block("203.0.113.0/24", "203.0.113.64/26"), block("203.0.113.70/32"));
    expect(await letIn()).toEqual(["203.0.113.63", "203.0.113.70", "203.0.113.128"]);
  });

  it("may leave nobody", async () => {
    await allow(block("203.0.113.0/24", "203.0.113.0/25", "203.0.113.128/25"));
    expect(await letIn()).toEqual([]);
  });

  it("of a deny let those pass", async () => {
    await inbound({
      deny: [{ name: "d", from: [block("203.0.113.0/24", "203.0.113.64/26")] }],
      defaultAction: "Allow",
    });
    expect(await letIn()).toEqual(without([...v4, ...v6], "203.0.113.63", "203.0.113.128"));
  });
});

describe("all of a family", () => {
  it.each([
    ["0.0.0.0/0", v4],
    ["::/0", v6],
  ])("%s in an allow lets in that family alone", async (cidr, all) => {
    await allow(block(cidr));
    expect(await letIn()).toEqual(all);
  });

  it("less an exception, in both families", async () => {
    await allow(block("0.0.0.0/0", "203.0.113.64/26"), block("::/0", "2001:db8::/32"));
    expect(await letIn()).toEqual(["203.0.113.63", "203.0.113.128", "198.51.100.9", "fd00:51::9"]);
  });

  it("in a deny lets in the other family alone", async () => {
    await inbound({ deny: [{ name: "d", from: [block("0.0.0.0/0")] }], defaultAction: "Allow" });
    expect(await letIn()).toEqual(v6);
    await inbound({ deny: [{ name: "d", from: [block("::/0")] }], defaultAction: "Allow" });
    expect(await letIn()).toEqual(v4);
  });

  it("as destination lets the node reach that family alone, less the exceptions", async () => {
    expect(await reached()).toEqual([...v4, ...v6]);
    const to = [block("0.0.0.0/0", "203.0.113.64/26")];
    await enforcer.enforce({ p: { firewall: { outbound: { allow: [{ name: "a", to }] } } } });
    expect(await reached()).toEqual(["203.0.113.63", "203.0.113.128", "198.51.100.9"]);
    await enforcer.enforce({ p: { firewall: { outbound: { allow: [{ name: "a", to: [block("::/0")] }] } } } });
    expect(await reached()).toEqual(v6);
  });
});

describe("nodes by label", () => {
  const monitoring = { matchLabels: { role: "monitoring" } };
  const selected = nodesGroup(monitoring, ["203.0.113.70/32", "2001:db8:113::7/128"]);
  const peers = [{ nodes: monitoring }];

  it("come in by an allow, and no other node does where the cluster is not trusted", async () => {
    const every = nodesGroup({}, [...selected.addresses, "198.51.100.9/32"]);
    await inbound({ trustCluster: false, allow: [{ name: "a", from: peers }] }, selected, every);
    expect(await letIn()).toEqual(["203.0.113.70", "2001:db8:113::7"]);
    await inbound({ trustCluster: false, allow: [{ name: "a", from: [{ nodes: {} }] }] }, selected, every);
    expect(await letIn()).toEqual(["203.0.113.70", "198.51.100.9", "2001:db8:113::7"]);
  });

  it("are kept out by a deny", async () => {
    await inbound({ trustCluster: false, deny: [{ name: "d", from: peers }], defaultAction: "Allow" }, selected);
    expect(await letIn()).toEqual(without([...v4, ...v6], "203.0.113.70", "2001:db8:113::7"));
  });

  it("are reached as destinations", async () => {
    const outbound = { trustCluster: false, allow: [{ name: "a", to: peers }] };
    await enforcer.enforce({ p: { firewall: { outbound } } }, [selected]);
    expect(await reached()).toEqual(["203.0.113.70", "2001:db8:113::7"]);
  });

  it("are exempt from a limit", async () => {
    const newConnections = { limit: 1, per: "Hour", burst: 1 };
    const rateLimits = [{ name: "l", scope: "Total", newConnections, exempt: peers }];
    await enforcer.enforce({ p: { rateLimits } }, [selected]);
    const from = (address: string) => ({ from: address, to: node.ipv4, port: 8443 });
    const many = [...Array(3).fill(from("203.0.113.70")), ...Array(3).fill(from("198.51.100.9"))];
    const connected = (await outside.connectAll(many)).map(({ outcome }) => outcome === "connected");
    expect([connected.slice(0, 3).filter(Boolean), connected.slice(3).filter(Boolean)]).toMatchObject([
      { length: 3 },
      { length: 1 },
    ]);
  });
});

describe("a group with a prefix too wide for a deny", () => {
  const group = { name: "list", labels: {}, addresses: ["0.0.0.0/1", "128.0.0.0/2", "203.0.113.70/32", "2000::/15"] };
  const peers = [{ addressGroup: { name: "list" } }];

  it("denies what else it holds, and cuts nobody off by the wide ones", async () => {
    await inbound({ deny: [{ name: "d", from: peers }], defaultAction: "Allow" }, group);
    expect(await letIn()).toEqual(without([...v4, ...v6], "203.0.113.70"));
  });

  it("is taken whole where it opens", async () => {
    const wide = { ...group, addresses: ["192.0.0.0/2", "2000::/3"] };
    await inbound({ allow: [{ name: "a", from: peers }] }, wide);
    expect(await letIn()).toEqual([...v4, ...v6.slice(0, 3)]);
  });
});
