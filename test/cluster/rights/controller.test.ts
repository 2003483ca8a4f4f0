import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { LEADER_LEASE } from "../../../src/controller/leader.ts";
import { type ControllerLab, type RunningController, startControllerLab } from "../controller/controller-lab.ts";
import { lossesOfOwnKinds } from "./controller-losses.ts";
import { lossesOfOtherKinds } from "./controller-losses-of-others.ts";
import { expectLossForEach, holdsWithout, type Program, removePolicies } from "./loss.ts";
import { type Right, type Roles, rolesOf, serviceAccount } from "./roles.ts";

const losses = [...lossesOfOwnKinds, ...lossesOfOtherKinds];

let lab: ControllerLab;
let roles: Roles;
let controller: RunningController | undefined;
let terms = 0;

const program: Program = {
  log: () => controller?.log() ?? "",
  async stop() {
    await controller?.stop();
    controller = undefined;
  },
  async start() {
    terms += 1;
    const elected = { identity: `term-${terms}`, durationSeconds: 15 };
    controller = await lab.startController({ podRangeLookMilliseconds: 500 }, elected);
  },
};

beforeAll(async () => {
  lab = await startControllerLab();
  await lab.controlPlane.kubectl(["apply", "-f", resolve(import.meta.dirname, "../../../deploy/pod-range.yaml")]);
  roles = await rolesOf(await serviceAccount("port-hardening-controller", lab.admin), lab.admin, lab.api.kubeconfig);
  await program.start();
});
afterAll(async () => {
  await roles?.close();
  await lab?.close();
});
afterEach(() => removePolicies(lab.admin));

it("there is a promise for every right of the controller", () => {
  expectLossForEach(roles.rights, losses);
});

/** What alerts go by: how many caches are not followed, passes and Events that failed, and whether anybody leads. */
async function troubles() {
  const metrics = (await controller?.metrics()) ?? "";
  const sum = (name: string) =>
    [...metrics.matchAll(new RegExp(`^port_hardening_controller_${name} (\\d+)$`, "gm"))]
      .map(([, value]) => Number(value))
      .reduce((total, value) => total + value, 0);
  return {
    notFollowed: sum("caches_unsynced"),
    failed: sum("reconcile_errors_total\\{.*\\}") + sum('events_total\\{result="Failed"\\}'),
    leads: sum("leader") === 1,
  };
}

it.each(losses.map((loss, index) => ({ ...loss, name: `loss-${index + 1}` })))(
  "without the right to $right it does not hold that $promise",
  async ({ name, ...loss }) => {
    const before = await troubles();
    const meanwhile = async ({ verb, resource, object }: Right) => {
      const now = await troubles();
      if (object === LEADER_LEASE || loss.right === "create leases") expect(now.leads).toBe(false);
      else if ((verb === "list" || verb === "watch") && resource !== "pods") expect(now.notFollowed).toBeGreaterThan(0);
      // What a status says is no failure of a pass.
      else if (loss.told === undefined) expect(now.failed).toBeGreaterThan(loss.anew ? 0 : before.failed);
    };
    expect(await holdsWithout(loss, { place: lab, program, roles, name, meanwhile })).toBe(false);
  },
);
