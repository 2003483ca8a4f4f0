import { expect, it } from "vitest";
import { compileProposal, proposed } from "../../../src/cli/proposal.ts";
import { assigned, policy } from "../plan/policies.ts";

const options = { allowedSysctls: ["net.ipv4.*"] };
const web = policy(
  { nodeSelector: { matchLabels: { role: "web" } }, sysctls: { "net.ipv4.tcp_syncookies": "2" } },
  "web",
);
const before = [assigned({ sysctls: { "net.ipv4.tcp_syncookies": "1" } }, "web"), assigned({}, "other")];
const names = (labels: Record<string, string>, deleted: readonly string[] = []) =>
  proposed(compileProposal([web], deleted, options), labels, before).map(
    ({ name, plan }) => `${name} ${JSON.stringify(plan.sysctls)}`,
  );

it("puts a policy in the place of the one with its name, and leaves the others", () => {
  expect(names({ role: "web" })).toEqual(["other {}", 'web {"net.ipv4.tcp_syncookies":"2"}']);
});

it("takes a policy off the nodes that it does not select any more", () => {
  expect(names({ role: "db" })).toEqual(["other {}"]);
});

it("takes off what is deleted", () => {
  expect(names({ role: "db" }, ["other"])).toEqual([]);
});
