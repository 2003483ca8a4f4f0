import type { ControlPlane } from "../../lab/control-plane.ts";
import { waitFor } from "../../lab/wait-for.ts";

/** Nothing runs Jobs here: does what the Job controller would do once the pod of the uninstall's Job has ended. */
export async function endJob(controlPlane: ControlPlane, how: "Complete" | "Failed"): Promise<void> {
  const job = ["job", "port-hardening-uninstall", "--namespace", "port-hardening"];
  await waitFor(
    "the uninstall's Job",
    async () => {
      // One that ended in an earlier try is there until Helm makes the next.
      const { stdout } = await controlPlane.kubectl([
        "get",
        ...job,
        "--ignore-not-found",
        "-o",
        "jsonpath={.metadata.name} {.status.conditions}",
      ]);
      return stdout === "port-hardening-uninstall " ? true : undefined;
    },
    { timeoutMilliseconds: 60_000 },
  );
  const now = new Date().toISOString().replace(/\.\d+/, "");
  const types = how === "Complete" ? ["SuccessCriteriaMet", "Complete"] : ["FailureTarget", "Failed"];
  const ended = how === "Complete" ? { succeeded: 1, completionTime: now } : { failed: 1 };
  const conditions = types.map((type) => ({
    type,
    status: "True",
    reason: "Ended",
    message: `it is ${how}`,
    lastProbeTime: now,
    lastTransitionTime: now,
  }));
  const status = { startTime: now, ...ended, conditions };
  const patch = ["--subresource=status", "--type=merge", "--patch", JSON.stringify({ status })];
  await controlPlane.kubectl(["patch", ...job, ...patch]);
}
