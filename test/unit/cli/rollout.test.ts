import { describe, expect, it } from "vitest";
import { duration, yesOrNo } from "../../../src/cli/option-values.ts";
import { followRollout } from "../../../src/cli/rollout-follow.ts";
import { rolloutStanding } from "../../../src/cli/rollout-standing.ts";
import { pauseRollout, retryRollout } from "../../../src/cli/rollout-steer.ts";
import { ConflictError } from "../../../src/kube/errors.ts";
import type { KubeObject } from "../../../src/kube/types.ts";

const at = "2026-01-01T03:00:00Z";
type Phase = "Canary" | "Progressing" | "Paused" | "Halted" | "Complete";

function policy(phase: Phase, conditions: Readonly<Record<string, string>>, observedGeneration = 2): KubeObject {
  const object = {
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name: "workers", generation: 2 },
    spec: { mode: "Enforce" },
    status: {
      observedGeneration,
      message: "it says.",
      rollout: { phase, since: at, progressedAt: at, total: 9, updated: 4, enforced: 3 },
      conditions: Object.entries(conditions).map(([type, status]) => ({
        type,
        status,
        reason: "Reason",
        message: "",
        lastTransitionTime: at,
      })),
    },
  };
  return object;
}

const done = policy("Complete", { Ready: "True", Stalled: "False" });
const running = policy("Progressing", { Ready: "False", Stalled: "False" });
const stalled = policy("Halted", { Ready: "False", Stalled: "True" });

describe("a roll-out", () => {
  it.each([
    ["done where all is ready", done, "Done", "workers: Complete, 3 of 9: it says."],
    ["running", running, "Running", "workers: Progressing, 3 of 9: it says."],
    [
      "running while the policy leaves nodes",
      policy("Progressing", { Ready: "True" }),
      "Running",
      "workers: Progressing, 3 of 9: it says.",
    ],
    [
      "running while it is paused",
      policy("Paused", { Ready: "False" }),
      "Running",
      "workers: Paused, 3 of 9: it says.",
    ],
    ["stalled", stalled, "Stalled", "workers: Halted, 3 of 9: it says."],
    [
      "not judged by what was said of an older generation",
      policy("Complete", { Ready: "True" }, 1),
      "Running",
      "workers: waiting for the controller to look at it",
    ],
  ] as const)("is %s", (_what, object, outcome, line) => {
    expect(rolloutStanding(object)).toEqual({ outcome, line });
  });
});

describe("to follow it", () => {
  async function follow(objects: readonly (KubeObject | undefined)[], { watch = true, timeoutMilliseconds = 0 } = {}) {
    const left = [...objects];
    const lines: string[] = [];
    const client = { get: async () => (left.length > 1 ? left.shift() : left[0]) };
    const { signal } = new AbortController();
    const write = (line: string) => void lines.push(line);
    const ended = await followRollout({
      client,
      name: "workers",
      watch,
      timeoutMilliseconds,
      write,
      signal,
      pollMilliseconds: 1,
    });
    return { ended, lines: lines.map((line) => line.split(",")[0]) };
  }

  it("says each change once, and ends well when it is done", async () => {
    expect(await follow([running, running, done])).toEqual({
      ended: true,
      lines: ["workers: Progressing", "workers: Complete"],
    });
  });

  it("ends badly where it has stalled, and where the time is over", async () => {
    expect(await follow([running, stalled])).toEqual({
      ended: false,
      lines: ["workers: Progressing", "workers: Halted"],
    });
    const late = await follow([running], { timeoutMilliseconds: 5 });
    expect(late).toEqual({ ended: false, lines: ["workers: Progressing", "workers: not done after 0.005 s"] });
  });

  it("is one look without watching, which blames it for nothing but having stalled", async () => {
    expect((await follow([running, done], { watch: false })).ended).toBe(true);
    expect((await follow([stalled], { watch: false })).ended).toBe(false);
  });

  it("takes a policy", async () => {
    await expect(follow([undefined])).rejects.toThrow("there is no PortHardeningPolicy workers");
  });
});

describe("to steer it", () => {
  function server(spec: object) {
    const written: KubeObject[] = [];
    let conflicts = 1;
    const client = {
      get: async () => ({ ...done, spec }) as KubeObject,
      replace: async (_resource: unknown, object: KubeObject) => {
        if (conflicts-- > 0) throw new ConflictError("moved on", { request: "PUT", status: 409 });
        written.push(object);
        return object;
      },
    };
    return { client, written };
  }

  it("pauses and resumes, and leaves what else the policy says", async () => {
    const { client, written } = server({ mode: "Enforce", rollout: { maxUnavailable: 3, paused: false } });
    expect(await pauseRollout(client, "workers", true)).toBe(true);
    expect(written).toMatchObject([{ spec: { mode: "Enforce", rollout: { maxUnavailable: 3, paused: true } } }]);
    expect(await pauseRollout(client, "workers", false)).toBe(false);
  });

  it("pauses a policy that says nothing of its roll-out", async () => {
    const { client, written } = server({ mode: "Enforce" });
    await pauseRollout(client, "workers", true);
    expect(written).toMatchObject([{ spec: { rollout: { paused: true } } }]);
  });

  it("asks for another try by an annotation that changes", async () => {
    const { client, written } = server({ mode: "Enforce" });
    await retryRollout(client, "workers", new Date(at));
    expect(written[0]?.metadata.annotations).toEqual({ "porthardening.io/retry-at": "2026-01-01T03:00:00.000Z" });
  });
});

it("takes times as people write them, and refuses others", () => {
  expect([duration("90s"), duration("10m"), duration("1h"), duration("0")]).toEqual([90_000, 600_000, 3_600_000, 0]);
  for (const text of ["", "10", "-1s", "1d", "1.5m"]) expect(() => duration(text)).toThrow("Give a time");
  expect([yesOrNo("true"), yesOrNo("false")]).toEqual([true, false]);
  expect(() => yesOrNo("no")).toThrow("Give true or false");
});
