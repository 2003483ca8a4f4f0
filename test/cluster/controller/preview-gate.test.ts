import { afterAll, beforeAll, expect, it } from "vitest";
import type { ComingOnNode } from "../../../src/api/coming.ts";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeObject } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { saidOf } from "../../unit/controller/said-of-coming.ts";
import { type ControllerLab, startControllerLab } from "./controller-lab.ts";
import { startPool } from "./rollout-lab.ts";

let lab: ControllerLab;

beforeAll(async () => {
  lab = await startControllerLab();
  await lab.startController({ previewWaitMilliseconds: 6_000 });
});
afterAll(() => lab?.close());

interface Preview {
  readonly name: string;
  readonly hash: string;
  readonly plan?: object;
}

async function asked(node: string): Promise<readonly Preview[]> {
  const state = (await lab.admin.get(resources.nodeStates, { name: node })) as
    | (KubeObject & { readonly spec?: { readonly previews?: readonly Preview[] } })
    | undefined;
  return state?.spec?.previews ?? [];
}

async function askedOnce(node: string): Promise<Preview> {
  return waitFor(
    `${node} to be asked`,
    async () => {
      const [first] = await asked(node);
      return first;
    },
    { timeoutMilliseconds: 30_000, intervalMilliseconds: 50 },
  );
}

const answer = (preview: Preview, cut: number): ComingOnNode =>
  saidOf(preview, cut, {
    ...(cut > 0 && {
      top: [
        {
          effect: "Cut",
          direction: "Inbound",
          peer: "10.0.3.7",
          protocol: "TCP",
          port: 9100,
          connections: cut,
        } as const,
      ],
    }),
  });

it("shows what a revision would cut before it goes beyond the canary, and goes on without nodes that do not say", async () => {
  const pool = await startPool(lab, "gate", 4, { maxUnavailable: 1 });
  for (const node of pool.nodes) lab.agents.report(node, { previews: [] });
  const looks = async () => {
    for (const node of pool.nodes) {
      const state = (await lab.admin.get(resources.nodeStates, { name: node })) as { status?: { previews?: unknown } };
      if (state.status?.previews === undefined) return undefined;
    }
    return true;
  };
  await waitFor("all agents to say that they look", looks, { timeoutMilliseconds: 30_000 });
  await pool.edit();
  const [b, c] = [await askedOnce("gate-b"), await askedOnce("gate-c")];
  expect(b).toMatchObject({ name: "gate", plan: expect.any(Object) });
  lab.agents.report("gate-b", { previews: [answer(b, 14)] });
  lab.agents.report("gate-c", { previews: [answer(c, 0)] });
  const waiting = await lab.statusWhere("gate", ({ preview }) => preview?.looked === 2);
  expect(waiting.preview).toMatchObject({ revision: b.hash, cut: 14, cutsOn: 1 });
  lab.agents.behaveFromNextSpec("gate-b", "Silent");
  await pool.handedAre(["gate-a", "gate-b"]);
  // d said nothing, and is not counted as one where nothing is cut.
  const late = await lab.statusWhere("gate", ({ preview }) => preview?.waiting === 2);
  expect(late.preview).toMatchObject({ looked: 1, awaited: 0, unknown: 1, cutsOn: 0 });
  expect(late.message).toContain("nothing that is open is cut on 1 node; 1 node could not be asked or did not say");
  lab.agents.behave("gate-b", "Enforces");
  const done = await lab.statusWhere("gate", ({ rollout }) => rollout?.phase === "Complete");
  expect(done.preview).toBeUndefined();
  expect(await asked("gate-d")).toEqual([]);
});
