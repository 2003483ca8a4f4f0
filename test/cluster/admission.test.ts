import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsePolicy } from "../../src/api/parse.ts";
import { type Problem, SchemaError } from "../../src/api/schema-error.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import { type Transport, transport } from "../../src/kube/transport.ts";
import { type ControlPlane, startControlPlane } from "../lab/control-plane.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { arbitraryPolicy } from "../unit/api/arbitrary-policy.ts";
import { allow, nodeState, policy } from "../unit/api/objects/sample.ts";
import { objects, statuses } from "../unit/api/objects.ts";
import { expectedProblem, problemsOf, tryCreate, tryStatus } from "./admission-create.ts";
import { type Applied, applyAll } from "./admission-kubectl.ts";

const CRDS = new URL("../../crds", import.meta.url).pathname;
const SAMPLES = new URL("../../deploy/samples", import.meta.url).pathname;

let lab: Lab;
let controlPlane: ControlPlane;
let wire: Transport;

beforeAll(async () => {
  lab = await createLab();
  controlPlane = await startControlPlane(lab);
  await controlPlane.kubectl(["apply", "-f", CRDS]);
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  const { kubeconfig } = await controlPlane.forward();
  wire = transport(loadKubeConfig(kubeconfig), "admission-test");
});
afterAll(async () => {
  await wire?.close();
  await lab?.close();
});

/** What zod has against the policy; empty where it takes it. */
function zodProblems(object: unknown): readonly Problem[] {
  try {
    parsePolicy(object);
    return [];
  } catch (error) {
    if (error instanceof SchemaError) return error.problems;
    throw error;
  }
}

describe("the API server agrees with zod", () => {
  for (const { name, object, expected } of objects) {
    if (expected === "ok") {
      it(`accepts ${name}`, async () => {
        expect(await tryCreate(wire, object)).toBeUndefined();
      });
    } else {
      it(`refuses ${name} at ${expected.serverField ?? expected.field}`, async () => {
        const failure = await tryCreate(wire, object);
        if (failure === undefined) throw new Error("was accepted");
        expect(problemsOf(failure)).toContainEqual(expect.stringMatching(expectedProblem(expected)));
      });
    }
  }

  it("on generated policies", async () => {
    const verdicts = { accepted: 0, refused: 0 };
    const property = fc.asyncProperty(arbitraryPolicy, async (object) => {
      const failure = await tryCreate(wire, object);
      const problems = zodProblems(object);
      const agreed = (failure === undefined) === (problems.length === 0);
      expect({ agreed, failure, problems }).toMatchObject({ agreed: true });
      verdicts[failure === undefined ? "accepted" : "refused"] += 1;
    });
    await fc.assert(property, { numRuns: 300 });
    expect(verdicts.accepted).toBeGreaterThan(30);
    expect(verdicts.refused).toBeGreaterThan(30);
  });
});

describe("the API server agrees with zod on what is written into a status:", () => {
  const NAME = "node-1.example";
  beforeAll(async () => {
    await controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(nodeState([])) });
    await controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(policy({}, "statuses")) });
  });
  // Whatever comes later finds no object of these names.
  afterAll(async () => {
    await controlPlane.kubectl(["delete", `phnode/${NAME}`, "phpol/statuses"]);
  });
  const trial = (object: unknown) =>
    tryStatus(wire, (object as { kind: string }).kind === "PortHardeningPolicy" ? "statuses" : NAME, object);

  for (const { name, object, expected } of statuses) {
    if (expected === "ok") {
      it(`accepts ${name}`, async () => {
        expect(await trial(object)).toBeUndefined();
      });
    } else {
      it(`refuses ${name} at ${expected.field}`, async () => {
        const failure = await trial(object);
        if (failure === undefined) throw new Error("was accepted");
        expect(problemsOf(failure)).toContainEqual(expect.stringMatching(expectedProblem(expected)));
      });
    }
  }
});

describe("kubectl apply --dry-run=server agrees with zod", () => {
  let applied: Applied;
  beforeAll(async () => {
    applied = await applyAll(
      controlPlane,
      objects.map(({ object }) => object),
      { folder: lab.root.folder, processes: 4 },
    );
  });

  for (const [index, { name, expected }] of objects.entries()) {
    if (expected === "ok" || expected.prunedByKubectl) {
      it(`accepts ${name}`, () => {
        expect(applied.refusals.get(index)).toBeUndefined();
      });
    } else {
      it(`refuses ${name} at ${expected.serverField ?? expected.field}`, () => {
        const refusal = applied.refusals.get(index) ?? "was accepted";
        expect(refusal).toContain(expected.serverField ?? expected.field);
        expect(refusal).toContain(expected.serverSays ?? expected.says);
      });
    }
  }

  it("has judged every object", () => {
    expect(applied.refusals.size + applied.accepted).toBe(objects.length);
  });
});

describe("the definitions", () => {
  it("take the project's samples", async () => {
    const { stdout } = await controlPlane.kubectl(["apply", "--dry-run=server", "--validate=strict", "-f", SAMPLES]);
    expect(stdout.match(/ created \(server dry run\)$/gm)).toHaveLength(3);
  });

  it("refuse a `from:` with nothing behind it under server-side apply, which would mean everybody", async () => {
    const input = JSON.stringify(allow({ from: null }));
    const args = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
    const { exitCode, stderr } = await controlPlane.tryKubectl(args, { input });
    expect(stderr).toContain("spec.firewall.inbound.allow[0]: Invalid value: from, ports, protocols: null is no value");
    expect(exitCode).toBe(1);
  });

  it("explain a field", async () => {
    const { stdout } = await controlPlane.kubectl(["explain", "phpol.spec.firewall.inbound.allow.from"]);
    expect(stdout).toContain("Sources that this entry allows. Absent: everybody.");
  });

  it("explain what may be audited, and what each level means", async () => {
    const { stdout } = await controlPlane.kubectl(["explain", "phpol.spec.audit"]);
    // As it stands there, whatever the width of its lines.
    const text = stdout.replaceAll(/\s+/g, " ");
    expect(text).toContain("schedule <string> When nodes are audited: cron, five fields, UTC");
    expect(text).toContain("plaintextProtocols <string> enum: Required, Report, Ignore Listeners on protected ports");
    expect(text).toContain("Required: the policy is not Audited where there is one. Report: it is counted.");
    const automatic = await controlPlane.kubectl(["explain", "phpol.spec.audit.securityUpdates.automatic"]);
    expect(automatic.stdout).toMatch(/ENUM:\s+Ensure\s+Required\s+Report\s+Ignore/);
    const expected = await controlPlane.kubectl(["explain", "phpol.spec.monitoring.listeners.expected.process"]);
    expect(expected.stdout).toContain("Name of the process");
  });

  it("keep an audit as it was applied but for defaults outside of lists, so that Argo CD sees no difference", async () => {
    const audited = policy({ monitoring: { listeners: { expected: [{ port: 9100 }] } }, audit: { skipProbes: [1] } });
    const args = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    const { stdout } = await controlPlane.kubectl(args, { input: JSON.stringify(audited) });
    expect(JSON.parse(stdout).spec).toEqual({
      mode: "Enforce",
      priority: 0,
      monitoring: { listeners: { expected: [{ port: 9100 }], unexpected: "Report" } },
      audit: {
        schedule: "0 3 * * *",
        mandatoryAccessControl: "Report",
        plaintextProtocols: "Report",
        exposure: "Report",
        skipProbes: [1],
      },
    });
  });

  it("show the columns of each kind, and more with -o wide", async () => {
    await controlPlane.kubectl(["create", "-f", "-"], { input: JSON.stringify(policy({}, "columns")) });
    const { stdout } = await controlPlane.kubectl(["get", "porthardening"]);
    expect(stdout.split(/\s+/).slice(0, 8)).toEqual([
      "NAME",
      "MODE",
      "NODES",
      "ENFORCED",
      "FAILED",
      "UNKNOWN",
      "STATUS",
      "AGE",
    ]);
    expect(stdout).toMatch(/\nporthardeningpolicy.porthardening.io\/columns +Enforce/);
    const wide = await controlPlane.kubectl(["get", "phpol", "--output=wide"]);
    expect(wide.stdout.split("\n")[0]).toMatch(
      /AGE +ROLLOUT +RANGE +DROPPED +WOULD-DROP +WOULD-OPEN +UNMATCHED +AUDIT +MESSAGE$/,
    );
  });
});
