import { describe, expect, it } from "vitest";
import { ToolMissingError } from "../../../src/kernel/errors.ts";
import { assigned } from "../plan/policies.ts";
import { type AgentNode, agentNode } from "./agent-node.ts";

const rejecting = assigned({ firewall: { inbound: { defaultAction: "Reject" } } }, "rejecting");
const REWRITE = "-A PREROUTING -j MARK --set-xmark 0x5/0xffffffff";

/** The target of the default rule, and what status says of the policy. */
function seen({ host, status }: AgentNode) {
  const target = /p\/default\/\w+" (.*)/.exec(host.rules[4].save(false).replaceAll("rejecting/", "p/"))?.[1];
  const { state, reason, message } = status().policies?.[0] ?? {};
  return { target, state, reason, message };
}

async function enforcing(prepare: (node: AgentNode) => void = () => {}) {
  const node = agentNode();
  prepare(node);
  node.assign([rejecting]);
  await node.pass();
  return node;
}

describe("inbound Reject", () => {
  it("is enforced as such where the node can", async () => {
    expect(seen(await enforcing())).toMatchObject({ target: "-g PH-REJECT", state: "Enforced", reason: "Enforced" });
  });

  it("becomes Drop without nft, and status says so", async () => {
    const node = await enforcing(({ host }) =>
      host.failWhen((step) =>
        step.kind === "Run" && step.command === "nft" ? new ToolMissingError("nft", "nftables") : undefined,
      ),
    );
    expect(seen(node)).toMatchObject({ target: "-j DROP", state: "Enforced", reason: "RejectUnavailable" });
    expect(seen(node).message).toContain("nft is not installed: install the package nftables");
  });

  it("becomes Drop when somebody's rule overwrites the mark, and Reject again when that is gone", async () => {
    const node = await enforcing();
    node.host.tamper(4, `*mangle\n${REWRITE}\nCOMMIT\n`);
    node.drift("process 77 (iptables)");
    await node.pass();
    expect(seen(node)).toMatchObject({ target: "-j DROP", reason: "RejectUnavailable" });
    expect(seen(node).message).toContain(REWRITE.replace("-A ", ""));
    node.host.tamper(4, `*mangle\n${REWRITE.replace("-A", "-D")}\nCOMMIT\n`);
    node.drift("process 77 (iptables)");
    await node.pass();
    expect(seen(node)).toMatchObject({ target: "-g PH-REJECT", reason: "Enforced" });
  });

  it("is known of after a restart, also with the API server away", async () => {
    const node = await enforcing();
    node.host.tamper(4, `*mangle\n${REWRITE}\nCOMMIT\n`);
    node.server.synced = false;
    node.restart();
    await node.pass();
    expect(node.host.rules[4].matches("-g PH-REJECT")).toBe(false);
    expect(node.host.rules[4].matches("/default/")).toBe(true);
  });
});
