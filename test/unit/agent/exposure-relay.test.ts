import { describe, expect, it } from "vitest";
import { exposureRelay } from "../../../src/agent/exposure-relay.ts";

const never = new AbortController().signal;

function relay(bounds: { patienceMilliseconds?: number; graceMilliseconds?: number } = {}) {
  let ids = 0;
  let changes = 0;
  const one = exposureRelay({
    now: () => 0,
    newId: () => `id-${(ids += 1)}`,
    onChange: () => void (changes += 1),
    patienceMilliseconds: 60_000,
    graceMilliseconds: 60_000,
    ...bounds,
  });
  return { one, changes: () => changes };
}
const paths = [{ from: "198.18.0.12", to: "198.18.0.11", open: [8080], refused: [], silent: [] }];

describe("a measurement", () => {
  it("is asked for in status until the answer to this very request is there", async () => {
    const { one, changes } = relay();
    const measured = one.measure([8080], never);
    expect(one.request).toEqual({ id: "id-1", at: "1970-01-01T00:00:00.000Z", ports: [8080] });
    expect(changes()).toBe(1);
    one.told([{ id: "of-before", peer: "node3", paths }]);
    one.told([{ id: "id-1", peer: "node2", paths }]);
    expect(await measured).toEqual({ kind: "Measured", peer: "node2", paths });
    expect(one.request).toBeUndefined();
    expect(changes()).toBe(2);
  });

  it("that nobody answers ends when its time is over", async () => {
    const { one } = relay({ patienceMilliseconds: 5 });
    expect(await one.measure([8080], never)).toMatchObject({
      kind: "NotMeasured",
      reason: expect.stringContaining("is the controller running?"),
    });
    expect(one.request).toBeUndefined();
  });

  it("that nobody can make ends after a while, with the reason", async () => {
    const { one } = relay({ graceMilliseconds: 5 });
    const measured = one.measure([8080], never);
    one.told([{ id: "id-1", problem: "no other node" }]);
    expect(await measured).toEqual({ kind: "NotMeasured", reason: "no other node" });
  });

  it("goes on where somebody can make it meanwhile", async () => {
    const { one } = relay({ graceMilliseconds: 20 });
    const measured = one.measure([8080], never);
    one.told([{ id: "id-1", problem: "no other node" }]);
    one.told([]);
    await new Promise((resolve) => setTimeout(resolve, 40));
    one.told([{ id: "id-1", peer: "node2", paths }]);
    expect((await measured).kind).toBe("Measured");
  });

  it("ends with the agent, and is asked for no more", async () => {
    const { one } = relay();
    const end = new AbortController();
    const measured = one.measure([8080], end.signal);
    end.abort(new Error("stopped"));
    await expect(measured).rejects.toThrow("stopped");
    expect(one.request).toBeUndefined();
  });
});
