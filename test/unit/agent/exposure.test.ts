import { describe, expect, it } from "vitest";
import { exposure } from "../../../src/agent/exposure.ts";
import type { Measured } from "../../../src/agent/exposure-relay.ts";
import { merge } from "../../../src/plan/merge.ts";
import type { NodePlan } from "../../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { recordedSubject, tcp } from "../audit/subject.ts";
import { assigned } from "../plan/policies.ts";

const planOf = (inbound: object): NodePlan =>
  merge([assigned({ firewall: { inbound: { trustCluster: false, ...inbound } } })], [], DEFAULT_NODE_SETTINGS);
const strict = planOf({ allow: [{ name: "web", ports: [8443] }] });
const network = { addresses: new Set<string>(), listening: new Set<number>(), interfaceOf: () => "eth0" };
const way = { from: "198.18.0.12", to: "198.18.0.11", refused: [], silent: [] };
const open = (...ports: number[]): Measured => ({ kind: "Measured", peer: "node2", paths: [{ ...way, open: ports }] });

/** The check with a relay that answers as `measure` does. */
function checking(measure: (ports: readonly number[]) => Promise<Measured> | Measured, settleMilliseconds = 60_000) {
  const asked: (readonly number[])[] = [];
  const one = exposure({
    relay: {
      measure: async (ports) => {
        asked.push(ports);
        return measure(ports);
      },
    },
    kernel: { network: async () => network },
    newSeed: () => "seed",
    settleMilliseconds,
  });
  return { ...one, asked };
}
const listening = [tcp(8443, 1), tcp(9100, 2), tcp(5432, 3)];
const settings = { protectedPorts: ["1024-65535"], skipProbes: [5432] };
const subject = () => recordedSubject({ listening, settings });

describe("the check of exposure", () => {
  it("has listeners measured, but those that are to be skipped, and judges what a peer reached", async () => {
    const { check, aim, asked } = checking(() => open(8443, 9100));
    aim({ plan: strict, settled: true });
    expect(await check.run(subject())).toMatchObject({
      status: "Checked",
      examined: 2,
      findings: [{ id: "exposure.leak", port: 9100 }],
    });
    expect(asked[0]).toEqual(expect.arrayContaining([8443, 9100]));
    expect(asked[0]).not.toContain(5432);
  });

  it("asks when the rules are in force, not before", async () => {
    const { check, aim, asked } = checking(() => open(8443));
    aim({ plan: strict, settled: false });
    const result = check.run(subject());
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(asked).toEqual([]);
    aim({ plan: strict, settled: true });
    expect((await result).status).toBe("Checked");
  });

  it("asks all the same where they do not come into force: that is what it is to show", async () => {
    const { check, aim } = checking(() => open(9100), 5);
    aim({ plan: strict, settled: false });
    expect(await check.run(subject())).toMatchObject({ findings: [{ id: "exposure.leak", port: 9100 }] });
  });

  it("blames nobody for what the policies said something else of meanwhile", async () => {
    const { check, aim } = checking(() => {
      aim({ plan: strict, settled: true });
      return open(9100);
    });
    aim({ plan: planOf({ defaultAction: "Allow" }), settled: true });
    expect(await check.run(subject())).toMatchObject({ status: "Checked", findings: [] });
  });

  it("is not made where no peer measured, or nothing is known of the policies", async () => {
    const reason = "no other node";
    const { check, aim } = checking(() => ({ kind: "NotMeasured", reason }), 5);
    expect(await check.run(subject())).toMatchObject({ status: "NotChecked" });
    aim({ plan: strict, settled: true });
    expect(await check.run(subject())).toEqual({ status: "NotChecked", reason });
  });

  it("ends with the agent", async () => {
    const { check } = checking(() => open());
    const end = new AbortController();
    const result = check.run({ ...subject(), signal: end.signal });
    end.abort(new Error("stopped"));
    await expect(result).rejects.toThrow("stopped");
  });
});
