import { describe, expect, it } from "vitest";
import { exposureJudge } from "../../../src/agent/exposure-judge.ts";
import { peerGuard } from "../../../src/agent/peer-guard.ts";
import { merge } from "../../../src/plan/merge.ts";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { GroupAddresses } from "../../../src/plan/types.ts";
import { assigned } from "../plan/policies.ts";

const nodes: GroupAddresses = {
  name: "cluster-nodes-0",
  labels: { "porthardening.io/cluster": "nodes" },
  addresses: ["198.18.0.11/32", "198.18.0.12/32", "2001:db8:18::12/128"],
};
const others: GroupAddresses = {
  name: "friends",
  labels: { "porthardening.io/list": "nodes" },
  addresses: ["203.0.113.0/24"],
};
const planOf = (firewall: object): NodePlan =>
  merge([assigned({ firewall }, "workers")], [nodes, others], DEFAULT_NODE_SETTINGS);
const network = { addresses: new Set<string>(), listening: new Set<number>(), interfaceOf: () => "eth0" };
const guard = (plan: NodePlan | undefined) =>
  peerGuard({ kernel: { network: async () => network }, groups: () => [nodes, others], plan: () => plan });

describe("an agent that is asked to connect somewhere", () => {
  it.each(["198.18.0.11", "2001:db8:18::12"])("connects to an address of a node: %s", async (to) => {
    expect(await guard(undefined)({ from: "198.18.0.12", to }, [1, 2])).toEqual({ ports: [1, 2] });
  });

  it.each(["203.0.113.7", "198.18.0.99", "127.0.0.1", "169.254.169.254"])(
    "connects to nothing else, whoever asks: %s",
    async (to) => {
      expect(await guard(undefined)({ from: "198.18.0.12", to }, [1])).toEqual({
        ports: [],
        problem: expect.stringContaining("not published as the address of a node"),
      });
    },
  );

  it("refuses what is no address", async () => {
    await expect(guard(undefined)({ from: "198.18.0.12", to: "metadata.internal" }, [1])).rejects.toThrow(RangeError);
  });

  it("leaves out ports that its own outbound rules refuse: they would look silent", async () => {
    const outbound = { ports: ["1-65535"], trustCluster: false, allow: [{ name: "web", ports: [8443] }] };
    const plan = planOf({ outbound });
    expect(await guard(plan)({ from: "198.18.0.12", to: "198.18.0.11" }, [8443, 9100])).toEqual({
      ports: [8443],
      problem: expect.stringContaining("outbound"),
    });
  });
});

describe("what the policies say of a peer", () => {
  const to = "198.18.0.11";
  const from = "198.18.0.12";

  it("is that it passes where the cluster is trusted", () => {
    expect(exposureJudge(planOf({ inbound: {} }), network)({ from, to, port: 9100 })).toBeUndefined();
  });

  it("is the rule that refuses it where it is not, and whether that answers", () => {
    const inbound = { trustCluster: false, allow: [{ name: "web", ports: [8443] }] };
    const dropping = exposureJudge(planOf({ inbound }), network);
    expect(dropping({ from, to, port: 9100 })).toEqual({ policy: "workers", entry: "default", rejects: false });
    expect(dropping({ from, to, port: 8443 })).toBeUndefined();
    const rejecting = exposureJudge(planOf({ inbound: { ...inbound, defaultAction: "Reject" } }), network);
    expect(rejecting({ from, to, port: 9100 })).toMatchObject({ rejects: true });
  });

  it("is a silent drop for a deny, whatever the default action is", () => {
    const deny = [{ name: "blocked", from: [{ ipBlock: { cidr: "198.18.0.0/24" } }] }];
    const inbound = { trustCluster: false, deny, defaultAction: "Reject" };
    expect(exposureJudge(planOf({ inbound }), network)({ from, to, port: 9100 })).toEqual({
      policy: "workers",
      entry: "blocked",
      rejects: false,
    });
  });
});
