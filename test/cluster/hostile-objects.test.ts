import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAddressGroup, parsePolicy } from "../../src/api/parse.ts";
import { SchemaError } from "../../src/api/schema-error.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import { type Transport, transport } from "../../src/kube/transport.ts";
import type { RuleSet } from "../../src/render/types.ts";
import { SHOTS } from "../differential/arbitrary-shot.ts";
import type { Policy } from "../differential/policy-shape.ts";
import { foretell } from "../differential/three-readings.ts";
import { type Answer, askServer } from "../hostile/ask-server.ts";
import { loadTogether } from "../hostile/load-together.ts";
import { type Mutation, mutations, thinned } from "../hostile/mutations.ts";
import { renderGroup, renderPolicy, WORLD } from "../hostile/render-accepted.ts";
import { strangeLines } from "../hostile/text-grammar.ts";
import { startControlPlane } from "../lab/control-plane.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { objects } from "../unit/api/objects.ts";

/** `PER_FIELD=60 SEED=...` tries more of them, or others. */
const seed = Number(process.env["SEED"] ?? 7);
const perField = Number(process.env["PER_FIELD"] ?? 10);

const CRDS = new URL("../../crds", import.meta.url).pathname;
const PARSERS: Readonly<Record<string, (object: unknown) => unknown>> = {
  PortHardeningPolicy: parsePolicy,
  PortHardeningAddressGroup: parseAddressGroup,
};
/** Some of the packets of the differential test. */
const shots = SHOTS.filter((_, index) => index % 7 === 0);

const good = objects
  .filter(({ expected }) => expected === "ok")
  .map(({ object }) => thinned(JSON.parse(JSON.stringify(object))) as { readonly kind: string })
  .filter(({ kind }) => kind in PARSERS);
/** Which members metadata has is the API server's own business. */
const spares = (path: readonly unknown[]) => path.join() === "metadata";
const hostile = mutations(good, { seed, perField, spares });

/** A mutation that was accepted, as the API server would keep it, and what becomes of it on a node. */
interface Accepted {
  readonly what: string;
  readonly kind: string;
  readonly object: unknown;
  readonly ruleSet: RuleSet;
}

let lab: Lab;
let wire: Transport;
let answers: Answer[];
let accepted: Accepted[];

beforeAll(async () => {
  lab = await createLab();
  const controlPlane = await startControlPlane(lab);
  await controlPlane.kubectl(["apply", "-f", CRDS]);
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  const { kubeconfig } = await controlPlane.forward();
  wire = transport(loadKubeConfig(kubeconfig), "hostile-test");
  answers = await askServer(wire, hostile);
});
afterAll(async () => {
  wire?.close();
  await lab?.close();
});

function parse({ kind, text }: Mutation): Answer {
  try {
    return { object: PARSERS[kind]?.(JSON.parse(text)) };
  } catch (error) {
    if (error instanceof SchemaError) return { refusal: error.message };
    throw error;
  }
}

/** As JSON, which has no -0. */
const specOf = (parsed: unknown): unknown =>
  JSON.parse(JSON.stringify((parsed as { readonly spec?: unknown } | undefined)?.spec));
const said = (answer: Answer): string => ("refusal" in answer ? `refuses: ${answer.refusal.slice(0, 300)}` : "accepts");

it(`the API server and zod agree on each of ${hostile.length} hostile objects (SEED=${seed})`, () => {
  expect(hostile.length).toBeGreaterThanOrEqual(2000);
  const differs = hostile.flatMap((one, index) => {
    const server = answers[index] ?? { refusal: "no answer" };
    const ours = parse(one);
    // What JavaScript reads of 80.0 is 80. The API server refuses it in some places; it never comes from YAML.
    const stricter = one.fraction && "refusal" in server;
    const agreed = stricter || "refusal" in server === "refusal" in ours;
    return agreed ? [] : [`${one.kind} ${one.what}\n  API server ${said(server)}\n  zod ${said(ours)}`];
  });
  expect(differs.join("\n")).toBe("");
});

it("what the API server accepts means the same after its defaults, and compiles and renders", () => {
  accepted = hostile.flatMap(({ kind, what, text }, index) => {
    const answer = answers[index];
    if (answer === undefined || "refusal" in answer) return [];
    const [sent, kept] = [JSON.parse(text), answer.object].map((object) => specOf(PARSERS[kind]?.(object)));
    expect(kept, `${kind} ${what}`).toEqual(sent);
    const ruleSet = kind === "PortHardeningPolicy" ? renderPolicy(answer.object) : renderGroup(answer.object);
    return ruleSet === undefined ? [] : [{ kind, what, object: answer.object, ruleSet }];
  });
  expect(accepted.length, "so few prove little").toBeGreaterThan(100);
});

it("nothing of it is in the rules as anything but data", () => {
  const strange = accepted.flatMap(({ what, ruleSet }) => strangeLines(ruleSet).map((line) => `${what}\n  ${line}`));
  expect(strange.join("\n")).toBe("");
});

it("the rules judge as the policy says when it is read plainly", () => {
  const misjudged = accepted.flatMap(({ kind, what, object, ruleSet }) => {
    if (kind !== "PortHardeningPolicy") return [];
    const policy = object as Policy;
    // The plain reading knows no modes: a policy that observes is none.
    const policies = (policy.spec as { mode?: unknown }).mode === "Observe" ? [] : [policy];
    const [differs] = foretell(ruleSet, { policies, world: WORLD, shots }).flatMap((one) => one.differs ?? []);
    return differs === undefined ? [] : [`${what}\n  ${differs}`];
  });
  expect(misjudged.join("\n")).toBe("");
});

it("the kernel takes all of the rules and sets, and holds what was written", async () => {
  const different = new Map(accepted.map(({ ruleSet }) => [JSON.stringify(ruleSet), ruleSet]));
  const node = await lab.addNamespace("node");
  const ruleSets = [...different.values()];
  console.info(`${accepted.length} of ${hostile.length} accepted, ${ruleSets.length} different rule sets`);
  expect(await loadTogether(node, ruleSets)).toEqual([]);
});
