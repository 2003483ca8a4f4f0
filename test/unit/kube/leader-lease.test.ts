import { describe, expect, it } from "vitest";
import { claim, type LeaderSpec, released } from "../../../src/kube/leader-lease.ts";
import type { KubeObject } from "../../../src/kube/types.ts";

const time = new Date("2026-01-02T03:04:05.006Z");
const at = "2026-01-02T03:04:05.006000Z";
const earlier = "2026-01-02T03:00:00.000000Z";
const me = { identity: "me", durationSeconds: 15 };
const theirs: LeaderSpec = {
  holderIdentity: "them",
  leaseDurationSeconds: 20,
  acquireTime: earlier,
  renewTime: earlier,
  leaseTransitions: 3,
};

function lease(spec: object): KubeObject {
  const object = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec };
  return object;
}

/** `milliseconds` after this candidate first saw the lease as it is. */
const after = (milliseconds: number) => ({
  seen: { resourceVersion: "1", at: 1_000 },
  now: 1_000 + milliseconds,
  time,
});

describe("a candidate", () => {
  it("takes a lease that is not there, or was released, at once", () => {
    const taken = { holderIdentity: "me", leaseDurationSeconds: 15, acquireTime: at, renewTime: at };
    expect(claim(undefined, me, after(0))).toEqual({ ...taken, leaseTransitions: 0 });
    const free = lease({ ...theirs, holderIdentity: "" });
    expect(claim(free, me, after(0))).toEqual({ ...taken, leaseTransitions: 4 });
  });

  it("waits for as long as the holder said, from when it saw the lease by its own clock", () => {
    expect(claim(lease(theirs), me, after(19_999))).toBeUndefined();
    expect(claim(lease(theirs), me, after(20_000))).toMatchObject({ holderIdentity: "me", leaseTransitions: 4 });
  });

  it("keeps what it holds, and since when", () => {
    const mine = lease({ ...theirs, holderIdentity: "me" });
    expect(claim(mine, me, after(0))).toEqual({
      holderIdentity: "me",
      leaseDurationSeconds: 15,
      acquireTime: earlier,
      renewTime: at,
      leaseTransitions: 3,
    });
  });

  it("takes a lease that holds nonsense", () => {
    expect(claim(lease({ holderIdentity: 7, leaseTransitions: "x" }), me, after(0))).toMatchObject({
      holderIdentity: "me",
    });
  });
});

describe("who goes", () => {
  it("gives back what it holds, so that nobody has to wait", () => {
    const mine = lease({ ...theirs, holderIdentity: "me" });
    expect(released(mine, me, time)).toMatchObject({
      holderIdentity: "",
      leaseDurationSeconds: 1,
      leaseTransitions: 3,
    });
  });

  it("leaves alone what somebody else holds", () => {
    expect(released(lease(theirs), me, time)).toBeUndefined();
  });
});
