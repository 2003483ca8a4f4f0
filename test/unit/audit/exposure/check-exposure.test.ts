import { describe, expect, it } from "vitest";
import type { ProbedPath } from "../../../../src/api/peer-probes.ts";
import { checkExposure } from "../../../../src/audit/exposure/check-exposure.ts";
import type { ExposureJudge } from "../../../../src/audit/exposure/expected.ts";
import { tcp } from "../subject.ts";

const from = "198.18.0.12";
const to = "198.18.0.11";
const path = (answers: Partial<ProbedPath>): ProbedPath => {
  return { from, to, open: [], refused: [], silent: [], ...answers };
};
const measured = (...paths: ProbedPath[]) => ({ peer: "node2", paths });
const passes: ExposureJudge = () => undefined;
const drops: ExposureJudge = () => ({ policy: "workers", entry: "default", rejects: false });
const rejects: ExposureJudge = () => ({ policy: "workers", entry: "default", rejects: true });
const findings = (...given: Parameters<typeof checkExposure>) => {
  const result = checkExposure(...given);
  if (result.status === "NotChecked") throw new Error(result.reason);
  return result.findings;
};

describe("a leak", () => {
  it("is a port that is open though the policies refuse it, with the rule and the way there", () => {
    const listener = {
      ...tcp(9100, 1),
      process: { pid: 7, name: "node_exporter", uid: 0, cgroup: "/", containerId: undefined },
    };
    expect(findings(measured(path({ open: [9100] })), [listener as never], [drops])).toEqual([
      {
        id: "exposure.leak",
        severity: "high",
        subject: "TCP 0.0.0.0:9100 node_exporter",
        port: 9100,
        evidence: "open to 198.18.0.12 (node2) at 198.18.0.11, though default of policy workers refuses it",
        remedy: expect.stringContaining("past our rules"),
      },
    ]);
  });

  it("is one also where a reject was to be seen, and where nothing of ours listens", () => {
    expect(findings(measured(path({ open: [30080] })), [], [rejects])).toMatchObject([
      { id: "exposure.leak", subject: "TCP 30080", port: 30080 },
    ]);
  });

  it("is one for both families", () => {
    const paths = [path({ open: [9100] }), { ...path({ open: [9100] }), from: "2001:db8::12", to: "2001:db8::11" }];
    const [one, ...others] = findings(measured(...paths), [tcp(9100, 1, "::")], [drops]);
    expect(others).toEqual([]);
    expect(one?.evidence).toContain("at 198.18.0.11 and 2001:db8::11");
  });

  it("is one for all closed ports of a policy that answer, whichever the sample holds", () => {
    const one = findings(measured(path({ refused: [40001, 40002] })), [], [drops]);
    expect(one).toMatchObject([{ id: "exposure.leak", subject: "ports that policy workers closes", port: 40001 }]);
    expect(one[0]?.evidence).toMatch(/reset.*drops it: 40001, 40002$/);
    expect(findings(measured(path({ refused: [50000] })), [], [drops])[0]?.subject).toBe(one[0]?.subject);
  });

  it("is none where a reset is what the policy answers with", () => {
    expect(findings(measured(path({ refused: [40001] })), [], [rejects])).toEqual([]);
  });
});

describe("a cut", () => {
  it("is a port that does not answer though no policy refuses it and something listens", () => {
    expect(findings(measured(path({ silent: [8443] })), [tcp(8443, 1)], [passes])).toMatchObject([
      {
        id: "exposure.cut",
        severity: "medium",
        subject: "TCP 0.0.0.0:8443",
        port: 8443,
        evidence: "no answer to 198.18.0.12 (node2) at 198.18.0.11, though no policy refuses it and something listens",
      },
    ]);
  });

  it.each([
    ["0.0.0.0", 1],
    [to, 1],
    // It may have been told to take IPv6 only.
    ["::", 0],
    ["198.18.0.99", 0],
  ])("is a reset where something listens on %s: %i", (address, count) => {
    const found = findings(measured(path({ refused: [8443] })), [tcp(8443, 1, address)], [passes]);
    expect(found).toHaveLength(count);
  });

  it.each([
    ["0.0.0.0", 1],
    ["::", 1],
    ["198.18.0.99", 0],
  ])("is silence where something listens on %s: %i", (address, count) => {
    const found = findings(measured(path({ silent: [8443] })), [tcp(8443, 1, address)], [passes]);
    expect(found).toHaveLength(count);
  });
});

describe("what is as it should be is no finding", () => {
  it("a drop that is silent, a listener that is open, a closed port that passes and answers or not", () => {
    const judge: ExposureJudge = ({ port }) => (port < 5000 ? drops({ from, to, port }) : undefined);
    const paths = measured(path({ silent: [4000, 4001, 7000], open: [8443], refused: [6000] }));
    const result = checkExposure(paths, [tcp(4000, 1), tcp(8443, 2)], [judge]);
    expect(result).toEqual({ status: "Checked", examined: 5, findings: [] });
  });
});

it("leaves out what the policies of then and of now do not agree on", () => {
  const paths = measured(path({ open: [9100], silent: [8443] }));
  expect(findings(paths, [tcp(8443, 1)], [drops, passes])).toEqual([]);
  expect(findings(paths, [tcp(8443, 1)], [passes, drops])).toEqual([]);
});

it("has not checked where the peer tried no port, and says why", () => {
  const problem = "its own outbound rules refuse some of the ports";
  expect(checkExposure(measured(path({ problem })), [], [passes])).toEqual({
    status: "NotChecked",
    reason: `node2 measured nothing: ${problem}`,
  });
});

it("keeps evidence and names within what a status takes", () => {
  const peer = "n".repeat(253);
  const refused = Array.from({ length: 80 }, (_, n) => 60_000 + n);
  const long: ExposureJudge = () => ({ policy: "p".repeat(63), entry: "e".repeat(63), rejects: false });
  const found = findings({ peer, paths: [path({ refused, open: [5000] })] }, [], [long]);
  for (const { evidence, subject, remedy } of found) {
    expect(evidence.length).toBeLessThanOrEqual(200);
    expect(remedy.length).toBeLessThanOrEqual(200);
    expect(subject.length).toBeLessThanOrEqual(128);
  }
});
