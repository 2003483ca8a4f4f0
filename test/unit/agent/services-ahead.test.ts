import { describe, expect, it } from "vitest";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const inbound = assigned({ firewall: { inbound: { ports: ["8000-9000"] } } }, "inbound");
const outbound = assigned({ firewall: { outbound: {} } }, "outbound");
const limits = assigned(
  { rateLimits: [{ name: "slow", newConnections: { limit: 10, per: "Second", burst: 10 } }] },
  "limits",
);
const observing = assigned({ mode: "Observe", firewall: { inbound: {} } }, "observing");

const states = (node: AgentNode) => node.status().policies?.map(({ name, state }) => `${name} ${state}`);

describe("where Cilium answers NodePorts by eBPF", () => {
  it.each([4, 6])("what judges the way in is NotEnforceable, and nothing else (IPv%i)", async (family) => {
    const node = agentNode();
    node.assign([inbound, outbound, limits, observing]);
    node.files.add(`/sys/fs/bpf/tc/globals/cilium_snat_v${family}_external`);
    await node.pass();
    expect(states(node)).toEqual([
      "inbound NotEnforceable",
      "outbound Enforced",
      "limits NotEnforceable",
      "observing Enforced",
    ]);
    expect(node.status().policies?.[0]).toMatchObject({
      reason: "ServicesBypassed",
      message: expect.stringContaining("NodePorts"),
    });
    expect(node.status().conditions).toMatchObject([{ type: "Ready", status: "False", reason: "ServicesBypassed" }]);
  });

  it("is seen when it begins, and when it ends", async () => {
    const node = agentNode();
    node.assign([inbound]);
    await node.pass();
    expect(states(node)).toEqual(["inbound Enforced"]);
    node.files.add("/sys/fs/bpf/tc/globals/cilium_snat_v4_external");
    await node.pass();
    expect(states(node)).toEqual(["inbound NotEnforceable"]);
    node.files.clear();
    await node.pass();
    expect(states(node)).toEqual(["inbound Enforced"]);
  });
});
