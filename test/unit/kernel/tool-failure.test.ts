import { describe, expect, it } from "vitest";
import { RestoreError, ToolError } from "../../../src/kernel/errors.ts";
import { classifyFailure, toolMissing } from "../../../src/kernel/tool-failure.ts";

const RESTORE = "iptables-nft-restore";
const INPUT = "*mangle\n:PH-IN - [0:0]\n-A PH-IN -j X\nCOMMIT\n";

describe("what a failed tool printed", () => {
  it.each([
    [
      `${RESTORE} v1.8.9 (nf_tables): invalid port/service \`99999' specified\nError occurred at line: 3\nTry \`${RESTORE} -h' or '${RESTORE} --help' for more information.\n`,
      "invalid port/service `99999' specified",
    ],
    [
      `${RESTORE} v1.8.9 (nf_tables): \nline 3: RULE_APPEND failed (Numerical result out of range): rule in chain PH-IN\n`,
      "RULE_APPEND failed (Numerical result out of range): rule in chain PH-IN",
    ],
    [
      `${RESTORE}: line 3 failed: Bad rule (does a matching rule exist in that chain?).\n`,
      `${RESTORE}: line 3 failed: Bad rule (does a matching rule exist in that chain?).`,
    ],
    [
      "ipset v7.17: Error in line 3: The value of the CIDR parameter of the IP address is invalid\n",
      "The value of the CIDR parameter of the IP address is invalid",
    ],
  ])("points at the line of the input: %j", (stderr, words) => {
    const error = classifyFailure(RESTORE, stderr, INPUT);
    expect(error).toBeInstanceOf(RestoreError);
    expect(error).toMatchObject({ words, line: 3, rule: "-A PH-IN -j X" });
    expect(error.message).toBe(`${RESTORE}: ${words} (line 3: -A PH-IN -j X)`);
  });

  it("keeps the words where there is no line, and is never silent", () => {
    expect(classifyFailure("ipset", "ipset v7.17: Kernel error received: Operation not permitted\n", INPUT)).toEqual(
      new ToolError("ipset", "Kernel error received: Operation not permitted"),
    );
    expect(classifyFailure("ipset", "", undefined).message).toBe("ipset: failed without a word");
  });

  it("names the package of each tool", () => {
    const packages = ["ip6tables-nft-save", "iptables-nft-restore", "ipset", "nft"].map(
      (tool) => toolMissing(tool).packageName,
    );
    expect(packages).toEqual(["iptables", "iptables", "ipset", "nftables"]);
  });
});
