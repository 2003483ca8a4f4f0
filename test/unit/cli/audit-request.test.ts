import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRACTICES } from "../../../src/api/audit.ts";
import { runAudit } from "../../../src/audit/run-audit.ts";
import { auditExitCode } from "../../../src/cli/audit-exit-code.ts";
import { auditRequest } from "../../../src/cli/audit-request.ts";
import { unmetOf } from "../../../src/cli/audit-unmet.ts";
import { hostView } from "../audit/recorded-host.ts";
import { recordedSubject } from "../audit/subject.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-request-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const host = hostView({ files: { "/proc/net/dev": "    lo: 0\n  eth0: 0\n" } });

/** What is asked where a policy has this spec. */
async function asked(spec: object) {
  const file = join(folder, "policy.json");
  const kind = { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name: "p" } };
  await writeFile(file, JSON.stringify({ ...kind, spec: { mode: "Enforce", ...spec } }));
  return auditRequest({ filename: [file], nodeLabels: {}, skipProbes: [] }, host);
}

describe("an audit by a policy", () => {
  it("has a check for each practice that the policy looks at: none passes unseen", async () => {
    const { checks } = await asked({ monitoring: { listeners: {} }, audit: {} });
    expect(new Set(checks.map(({ practice }) => practice))).toEqual(new Set(PRACTICES));
  });

  it("has none for what it ignores", async () => {
    const { checks } = await asked({ audit: { exposure: "Ignore", plaintextProtocols: "Ignore" } });
    const practices = checks.map(({ practice }) => practice);
    expect(practices).toContain("pendingUpdates");
    for (const ignored of ["listeners", "protocols", "exposure"]) expect(practices).not.toContain(ignored);
  });

  it("does not say that a required exposure is as it should be, which only a cluster can tell", async () => {
    const { checks, policies } = await asked({ audit: { exposure: "Required" } });
    const reports = await runAudit(
      checks.filter(({ practice }) => practice === "exposure"),
      recordedSubject({}),
    );
    expect(reports).toMatchObject([{ name: "exposure", result: { status: "NotChecked" } }]);
    const passed = { ...reports[0], name: "other", practice: "capacity" } as const;
    const all = [
      ...reports,
      { ...passed, title: "", result: { status: "Checked", examined: 1, findings: [] } } as const,
    ];
    const unmet = unmetOf(all, policies);
    expect(unmet).toEqual([{ check: "exposure", policies: ["p"], findings: undefined }]);
    expect(auditExitCode(all, { failOn: "none", strict: false, unmet })).toBe(2);
  });
});

it("without policies makes every check that a host can make alone", async () => {
  const { checks } = await auditRequest({ nodeLabels: {}, skipProbes: [] }, host);
  expect(new Set(checks.map(({ practice }) => practice))).toEqual(
    new Set(PRACTICES.filter((practice) => practice !== "exposure")),
  );
});
