import { afterEach, describe, expect, it, vi } from "vitest";
import { agentCommand } from "../../../src/cli/agent.ts";

afterEach(() => vi.unstubAllEnvs());

/** What a person sees of a command line that is refused. */
async function refusal(args: string[], environment: Record<string, string> = {}): Promise<string> {
  vi.stubEnv("NODE_NAME", undefined);
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  let said = "";
  const command = agentCommand()
    .exitOverride()
    .configureOutput({ writeErr: (text) => (said += text) });
  await expect(command.parseAsync(args, { from: "user" })).rejects.toThrow(/error: /);
  return said;
}

describe("porthardening agent", () => {
  it.each([
    ["without a node's name", [], {}, /--node-name.*NODE_NAME/],
    ["an empty node's name", ["--node-name", ""], {}, /--node-name.*must not be empty/],
    ["a port that is none", ["--health-port", "http"], {}, /--health-port.*'http'.*from 0 to 65535/],
    ["a bad value in the environment", [], { HEALTH_PORT: "70000" }, /HEALTH_PORT.*from 0 to 65535/],
    ["a time that is none", ["--prime-seconds", "-1"], {}, /--prime-seconds.*from 0 to 3600/],
    ["a mark of two bits", ["--mark-bit", "0x3000"], {}, /--mark-bit.*Give one bit of 32, such as 0x1000/],
    ["no bit at all", ["--mark-bit", "0"], {}, /--mark-bit.*one bit of 32/],
    ["a bit that marks do not have", [], { MARK_BIT: "4294967296" }, /MARK_BIT.*one bit of 32/],
    ["an unknown level", ["--log-level", "loud"], {}, /--log-level.*trace, debug, info/],
    ["an unknown flag", ["--nodename", "x"], {}, /--nodename.*--node-name/s],
  ])("refuses %s in one line that names the way out", async (_, args, environment, said) => {
    const text = await refusal(args, environment);
    expect(text).toMatch(said);
    expect(text.trim().split("\n").length).toBeLessThanOrEqual(2);
  });

  it("says of a kubeconfig that is not there how to give one", async () => {
    const command = agentCommand().exitOverride();
    const args = ["--node-name", "n", "--kubeconfig", "/nonexistent/config", "--health-port", "0"];
    await expect(command.parseAsync(args, { from: "user" })).rejects.toThrow(/\/nonexistent\/config.*--kubeconfig/);
  });
});
