import { expect, it } from "vitest";
import { auditAims } from "../../../src/agent/audit-aim.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { assigned } from "../plan/policies.ts";

const web = { protocol: "TCP", address: "0.0.0.0", port: 8080 } as const;
const open = assigned({ firewall: { inbound: { defaultAction: "Allow" } }, audit: {} }, "open");
const held = { plan: merge([open], [], DEFAULT_NODE_SETTINGS) };

it("judges who reaches a listener by what is enforced, on the interfaces that there are", () => {
  const { judge, audit } = auditAims()([open], held, undefined);
  expect(audit?.policies.map(({ policy }) => policy)).toEqual(["open"]);
  expect(judge(["lo", "eth0"])(web)).toBe("Everybody");
  expect(judge([])(web)).toBe("Unknown");
});

it("knows nothing as long as nothing is enforced", () => {
  expect(auditAims()([open], undefined, undefined).judge(["eth0"])(web)).toBe("Unknown");
});

it("is the same as long as policies and plan are", () => {
  const aims = auditAims();
  const policies = [open];
  const before = aims(policies, held, undefined);
  expect(aims(policies, { ...held }, undefined).judge).toBe(before.judge);
  expect(aims(policies, { plan: { ...held.plan } }, undefined).judge).not.toBe(before.judge);
});
