import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "../test/lab/lab.ts";
import { operatorProgram } from "../test/lab/operator-program.ts";
import { waitFor } from "../test/lab/wait-for.ts";
import type { DemoCluster, DemoNode } from "./demo-cluster.ts";
import { hastyYaml, policyYaml, sources } from "./policy.ts";
import type { Show } from "./show.ts";

/** Whom an edit would cut, said before it is applied. The office must have `connections` to the node. */
export async function showPlan(
  show: Show,
  lab: Pick<Lab, "root" | "folder">,
  { controlPlane }: DemoCluster,
  { node, connections }: { readonly node: DemoNode; readonly connections: number },
): Promise<void> {
  show.step("Somebody edits the policy in a hurry: whom would it cut?");
  const [before, after] = [join(lab.folder, "policy.yaml"), join(lab.folder, "hasty.yaml")];
  await writeFile(before, policyYaml);
  await writeFile(after, hastyYaml);
  const difference = await lab.root.tryExec("diff", [before, after]);
  show.command("diff policy.yaml hasty.yaml", difference.stdout);

  let seen = "";
  await waitFor(
    `${node.name} to report the office's connections`,
    async () => {
      const path = "jsonpath={.status.connections.top[*].peer}";
      seen = (await controlPlane.kubectl(["get", "phnode", node.name, "-o", path])).stdout;
      return seen.includes(sources.office) || undefined;
    },
    { timeoutMilliseconds: 90_000, lastSeen: () => seen },
  );
  const [file, ...first] = operatorProgram;
  const { stdout, stderr, exitCode } = await lab.root.tryExec(file, [...first, "plan", "-f", after], {
    env: { KUBECONFIG: controlPlane.kubeconfig },
    timeoutMilliseconds: 60_000,
  });
  show.command("porthardening plan -f hasty.yaml; echo $?", `${stdout}${stderr}${exitCode}`);
  const cut = `would cut ${connections} connections to 8443/tcp`;
  const line = stdout.split("\n").find((one) => one.includes(`from ${sources.office} `)) ?? "no such line";
  show.check(
    "the preview",
    `${cut} from ${sources.office}; exit code 3: it cuts what is in use`,
    `${line.trim()}; exit code ${exitCode}`,
    exitCode === 3 && line.includes(cut),
  );
}
