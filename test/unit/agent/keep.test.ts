import { beforeEach, expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const allow = { firewall: { inbound: { allow: [{ name: "one", from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] } } };
const workers = assigned(allow, "workers");
const syn = assigned({ sysctls: { "net.ipv4.tcp_max_syn_backlog": "4096" } }, "syn");

let node: AgentNode;
const rules = () => node.host.rules[4].save(false).includes("workers/one/");
const sysctl = () => node.host.sysctls.get("net.ipv4.tcp_max_syn_backlog");

/** A NodeState that was made anew, as the one before was lost: this stands in it, and these policies wait for their turn. */
async function madeAnew(policies: readonly unknown[], keep: readonly string[]): Promise<void> {
  node.assign(policies);
  if (node.server.nodeState !== undefined) node.server.nodeState = { ...node.server.nodeState, uid: "state-2", keep };
  await node.pass();
}

beforeEach(async () => {
  node = agentNode();
  node.assign([workers, syn]);
  await node.pass();
  node.writes();
});

it("keeps what a NodeState says to keep, writes nothing, and says which revision that is", async () => {
  expect([rules(), sysctl()]).toEqual([true, "4096"]);
  await madeAnew([syn], ["workers"]);
  expect([rules(), sysctl(), node.writes()]).toEqual([true, "4096", []]);
  expect(node.status().policies).toMatchObject([
    { name: "syn", state: "Enforced" },
    { name: "workers", hash: workers.hash, state: "Enforced" },
  ]);
});

it("clears nothing where nothing is assigned, and all is to be kept", async () => {
  await madeAnew([], ["workers", "syn"]);
  expect([rules(), sysctl(), node.writes()]).toEqual([true, "4096", []]);
});

it("removes what is neither assigned nor to be kept", async () => {
  await madeAnew([], ["syn"]);
  expect([rules(), sysctl()]).toEqual([false, "4096"]);
});

it("takes what is assigned over what is to be kept", async () => {
  const edited = assigned({ sysctls: { "net.ipv4.tcp_max_syn_backlog": "2048" } }, "syn");
  await madeAnew([edited], ["syn"]);
  expect(sysctl()).toBe("2048");
});

it("leaves a node alone of which it knows nothing, where all that shall be there has yet to have its turn", async () => {
  node = agentNode();
  await madeAnew([], ["workers"]);
  expect(rules()).toBe(false);
  expect(node.status().conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "AwaitingTurn",
    message: "waiting for the roll-out of workers",
  });
});
