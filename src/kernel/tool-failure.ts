import { RestoreError, ToolError, ToolMissingError } from "./errors.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  ipset: "ipset",
  nft: "nftables",
  ip: "iproute2",
  ss: "iproute2",
  conntrack: "conntrack (conntrack-tools in Fedora)",
};

/** @returns the error for a tool that could not be started because it is not there. */
export function toolMissing(tool: string, cause?: unknown): ToolMissingError {
  return new ToolMissingError(tool, PACKAGES[tool] ?? (/^ip6?tables/.test(tool) ? "iptables" : tool), { cause });
}

/**
 * Gives meaning to what a failed tool printed. Forms seen (iptables 1.8.9 nft, ipset 7.17), each with the line of the input:
 *   iptables-nft-restore v1.8.9 (nf_tables): Chain 'X' does not exist / Error occurred at line: 3     (its parser)
 *   iptables-nft-restore v1.8.9 (nf_tables): / line 33: RULE_APPEND failed (...): rule in chain PH-X  (the kernel)
 *   iptables-nft-restore: line 3 failed: Bad rule (does a matching rule exist in that chain?).
 *   ipset v7.17: Error in line 3: The value of the CIDR parameter of the IP address is invalid
 */
export function classifyFailure(tool: string, stderr: string, input: string | undefined, cause?: unknown) {
  const words = wordsOf(stderr);
  const line = Number(/(?:at line: |\bline )(\d+)/.exec(stderr)?.[1] ?? 0);
  if (input === undefined || line < 1) return new ToolError(tool, words || "failed without a word", { cause });
  return new RestoreError(tool, words, line, input.split("\n")[line - 1] ?? "", { cause });
}

function wordsOf(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) => !line.startsWith("Try `") && !line.startsWith("Error occurred at line"))
    .map((line) => line.replace(/^\S+ v[\d.]+(?: \(\w+\))?: ?/, "").replace(/^(?:Error in line \d+|line \d+): /, ""))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("; ");
}
