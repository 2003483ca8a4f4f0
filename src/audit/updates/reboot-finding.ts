import type { Finding } from "../finding.ts";

export function rebootPending(evidence: string): Finding {
  return {
    id: "updates.reboot-pending",
    severity: "medium",
    subject: "reboot",
    evidence,
    remedy: "Drain and reboot the node: until then it runs the code from before the update",
  };
}
