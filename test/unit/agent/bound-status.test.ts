import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundStatus, STATUS_MAX_BYTES } from "../../../src/agent/bound-status.ts";
import { type NodeStateStatus, nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import { structuralSchema } from "../../../src/api/structural-schema.ts";
import { fullest } from "../../hostile/fullest.ts";
import { many } from "../api/objects/sample.ts";

const bytes = (status: NodeStateStatus) => Buffer.byteLength(JSON.stringify(status));
/** Every field there is, each as long as the schema lets it be: also those that come to be. */
const largest: NodeStateStatus = nodeStateStatusSchema.parse(fullest(structuralSchema(nodeStateStatusSchema)));
const { leftOut: _, ...everything } = largest;

const AT = "2026-11-23T03:00:00.000Z";
const findings = { critical: 1, high: 2, medium: 3, low: 4, info: 5 };

/** As agents write them: uid and hash of their true length, messages as of a failed restore. */
const ofPolicies = (count: number, messageLength: number): NodeStateStatus => ({
  conditions: [
    { type: "Ready", status: "False", reason: "RestoreFailed", message: "m".repeat(1024), lastTransitionTime: AT },
  ],
  policies: many(count, (n) => ({
    name: `policy-${n}`.padEnd(63, "x"),
    uid: "6f3c0000-0000-4000-8000-000000000000",
    hash: "0123456789abcdef",
    state: "Failed",
    reason: "RestoreFailed",
    message: "m".repeat(messageLength),
    since: AT,
    droppedPackets: 12_345,
  })),
});
const audited = (policies: number, notMet: (n: number) => number): NodeStateStatus => ({
  audit: {
    findings,
    top: many(20, (n) => ({
      id: "listeners.unexpected",
      severity: "high",
      subject: `tcp 0.0.0.0:${6000 + n} something`,
      port: 6000 + n,
      evidence: "e".repeat(200),
      remedy: "r".repeat(200),
      since: AT,
    })),
    checks: [],
    policies: many(policies, (n) => ({
      name: `policy-${n}`.padEnd(63, "x"),
      notMet: notMet(n),
      pending: 0,
      findings,
    })),
  },
});

describe("a status that fits", () => {
  it("is left alone, to the very object", () => {
    for (const status of [{}, ofPolicies(1, 1024), ofPolicies(20, 1000), audited(20, () => 0)]) {
      expect(boundStatus(status)).toBe(status);
    }
  });

  it("costs next to nothing to look at", () => {
    const status = ofPolicies(20, 1000);
    const started = performance.now();
    for (let times = 0; times < 100; times++) boundStatus(status);
    const milliseconds = (performance.now() - started) / 100;
    console.info(`a status of ${bytes(status)} bytes looked at in ${milliseconds.toFixed(3)} ms`);
    // Far less by itself; processors are shared.
    expect(milliseconds).toBeLessThan(5);
  });
});

describe("a status that is too large", () => {
  it("fits with everything at its maximum, and says of each field what was left out", () => {
    expect(bytes(everything)).toBeGreaterThan(250_000);
    const short = boundStatus(everything);
    expect(bytes(short)).toBeLessThanOrEqual(STATUS_MAX_BYTES);
    expect(short.leftOut).toContain("audit.top: 0 of 20");
    expect(short.leftOut).toContain("policies.message: 0 of 1024 characters");
    expect(short.policies?.map(({ name, uid, hash, state, since }) => ({ name, uid, hash, state, since }))).toEqual(
      everything.policies?.map(({ name, uid, hash, state, since }) => ({ name, uid, hash, state, since })),
    );
  });

  it("keeps, of 64 policies that fail with long messages, how each fails and the head of why", () => {
    const short = boundStatus(ofPolicies(64, 1024));
    expect(short.leftOut).toEqual([
      "policies.message: 128 of 1024 characters",
      "conditions.message: 256 of 1024 characters",
    ]);
    expect(short.policies).toHaveLength(64);
    expect(short.policies?.[63]).toMatchObject({ state: "Failed", reason: "RestoreFailed", droppedPackets: 12_345 });
    expect(short.policies?.[63]?.message).toBe(`${"m".repeat(127)}…`);
  });

  it("gives findings up before it gives up why a policy fails, and keeps the first, which are most urgent", () => {
    const whole = { ...ofPolicies(26, 600), ...audited(26, () => 0) };
    const short = boundStatus(whole);
    expect(short.audit?.top).toEqual(whole.audit?.top.slice(0, 10));
    expect(short.leftOut).toContain("audit.top: 10 of 20");
    expect(short.audit?.findings).toEqual(findings);
    expect(short.audit?.policies).toEqual(whole.audit?.policies);
  });

  it("drops policies from the audit last of all, and first those of which there is nothing to say", () => {
    const names = ({ policies = [], audit }: NodeStateStatus) => ({
      policies: policies.length,
      audited: (audit?.policies ?? []).filter(({ notMet }) => notMet > 0).map(({ name }) => name),
    });
    const failing = ofPolicies(64, 10);
    const counted = { existingConnections: { kept: 1_000_000, cut: 1_000_000 }, reason: "R".repeat(100) };
    const whole = {
      policies: failing.policies?.map((one) => ({ ...one, ...counted })) ?? [],
      ...audited(64, (n) => (n % 8 === 7 ? 1 : 0)),
    };
    const short = boundStatus(whole);
    expect(short.leftOut).toContain("audit.policies: 32 of 64");
    expect(names(short)).toEqual(names(whole));
  });

  it("fits, is a good status, is not shortened again, and keeps counts and states, whatever it holds", () => {
    const text = (max: number) => fc.string({ unit: "grapheme", maxLength: max / 4 }).map((one) => one.slice(0, max));
    const some = <T>(list: readonly T[] | undefined) => fc.nat(list?.length ?? 0).map((n) => (list ?? []).slice(0, n));
    const { policies, conditions, audit, listeners, connections, observed, wouldSet, sysctls } = everything;
    if (audit === undefined || listeners === undefined || connections === undefined) throw new Error("not everything");
    const messages = fc.array(text(1024), { minLength: 1, maxLength: 8 });
    const status = fc.record(
      {
        counts: fc.constant({ assigned: 64, enforced: 1, failed: 63 }),
        policies: fc
          .tuple(some(policies), messages)
          .map(([list, texts]) =>
            list.map((one, n) => ({ ...one, message: (texts[n % texts.length] ?? "").repeat(n % 5).slice(0, 1024) })),
          ),
        conditions: fc
          .tuple(some(conditions), messages)
          .map(([list, texts]) => list.map((one, n) => ({ ...one, message: texts[n % texts.length] ?? "" }))),
        audit: fc
          .tuple(some(audit.top), some(audit.checks), some(audit.policies), text(200))
          .map(([top, checks, audits, evidence]) => ({
            findings,
            top: top.map((one) => ({ ...one, evidence })),
            checks,
            policies: audits,
          })),
        listeners: some(listeners.top).map((top) => ({ ...listeners, top })),
        connections: some(connections.top).map((top) => ({ ...connections, top })),
        observed: some(observed),
        wouldSet: some(wouldSet),
        sysctls: some(sysctls),
      },
      { requiredKeys: [] },
    );
    const seen = { whole: 0, shortened: 0 };
    fc.assert(
      fc.property(status, (whole) => {
        const short = boundStatus(whole);
        seen[short === whole ? "whole" : "shortened"] += 1;
        expect(bytes(short)).toBeLessThanOrEqual(STATUS_MAX_BYTES);
        expect(nodeStateStatusSchema.parse(short)).toEqual(short);
        expect(boundStatus(short)).toBe(short);
        expect(short.counts).toEqual(whole.counts);
        expect(short.audit?.findings).toEqual(whole.audit?.findings);
        expect(short.listeners?.count).toBe(whole.listeners?.count);
        expect(short.policies?.map(({ state, hash }) => [state, hash])).toEqual(
          whole.policies?.map(({ state, hash }) => [state, hash]),
        );
        expect(short.leftOut === undefined).toBe(bytes(whole) <= STATUS_MAX_BYTES);
      }),
      { numRuns: 60 },
    );
    expect(seen.whole).toBeGreaterThan(0);
    expect(seen.shortened).toBeGreaterThan(10);
  });
});
