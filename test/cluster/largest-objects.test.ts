import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { boundStatus } from "../../src/agent/bound-status.ts";
import { nodeStateStatusSchema } from "../../src/api/node-state.ts";
import { parseAddressGroup, parsePolicy } from "../../src/api/parse.ts";
import { structuralSchema } from "../../src/api/structural-schema.ts";
import { kubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/kube-config.ts";
import { resources } from "../../src/kube/resources.ts";
import { type Transport, transport } from "../../src/kube/transport.ts";
import type { KubeClient, KubeObject } from "../../src/kube/types.ts";
import { fullest } from "../hostile/fullest.ts";
import { largestGroup, largestPolicies } from "../hostile/largest.ts";
import { thinned } from "../hostile/mutations.ts";
import { boundsOf, type Schema } from "../hostile/schema-bounds.ts";
import { fieldOf, pathText } from "../hostile/sites.ts";
import { startControlPlane } from "../lab/control-plane.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { nodeState } from "../unit/api/objects/sample.ts";
import { objects } from "../unit/api/objects.ts";
import { problemsOf, tryCreate, tryStatus } from "./admission-create.ts";

const CRDS = new URL("../../crds", import.meta.url).pathname;
/** For one object on a busy machine; kubectl would wait a minute. */
const PATIENCE_MILLISECONDS = 15_000;

let lab: Lab;
let wire: Transport;
let client: KubeClient;
beforeAll(async () => {
  lab = await createLab();
  const controlPlane = await startControlPlane(lab);
  await controlPlane.kubectl(["apply", "-f", CRDS]);
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  const { kubeconfig } = await controlPlane.forward();
  wire = transport(loadKubeConfig(kubeconfig), "largest-test");
  client = kubeClient(loadKubeConfig(kubeconfig));
});
afterAll(async () => {
  wire?.close();
  await client?.close();
  await lab?.close();
});

describe("the API server keeps, within its budget for CEL,", () => {
  it.each(Object.entries(largestPolicies))("the largest policy of %s", async (what, object) => {
    expect(() => parsePolicy(object)).not.toThrow();
    const start = performance.now();
    await client.create(resources.policies, object as KubeObject);
    const milliseconds = Math.round(performance.now() - start);
    console.info(`${what}: ${JSON.stringify(object).length} bytes in ${milliseconds} ms`);
    expect(milliseconds).toBeLessThan(PATIENCE_MILLISECONDS);
  });

  it("the largest address group", async () => {
    expect(() => parseAddressGroup(largestGroup)).not.toThrow();
    const start = performance.now();
    await client.create(resources.addressGroups, largestGroup);
    expect(performance.now() - start).toBeLessThan(PATIENCE_MILLISECONDS);
  });
});

it("takes the status of a node with everything at its maximum, and keeps it, shortened, within 32 KiB", async () => {
  const kind = resources.nodeStates.kind;
  const status = nodeStateStatusSchema.parse(fullest(structuralSchema(nodeStateStatusSchema)));
  const { apiVersion, metadata, spec } = nodeState([]) as Pick<KubeObject, "apiVersion" | "metadata"> & {
    spec: object;
  };
  await client.create(resources.nodeStates, { apiVersion, kind, metadata, spec } as KubeObject);
  expect(await tryStatus(wire, metadata.name, { kind, status })).toBeUndefined();
  const short = { apiVersion, kind, metadata: { name: metadata.name }, status: boundStatus(status) };
  const how = { fieldManager: "largest-test", subresource: "status" } as const;
  const kept = await client.apply(resources.nodeStates, short, how);
  expect(kept).toMatchObject({ status: short.status });
  const bytes = Buffer.byteLength(JSON.stringify((kept as { status?: unknown }).status));
  console.info(`a status of ${JSON.stringify(status).length} bytes is kept as ${bytes}`);
  expect(bytes).toBeLessThanOrEqual(32_768);
});

function accepts(object: unknown): boolean {
  try {
    parsePolicy(object);
    return true;
  } catch {
    return false;
  }
}

describe("every bound of the schema", () => {
  const bounds = async (kind: string, plural: string) => {
    const text = await readFile(`${CRDS}/porthardening.io_${plural}.yaml`, "utf8");
    const schema: Schema = parse(text).spec.versions[0].schema.openAPIV3Schema;
    const samples = objects
      .filter(({ object, expected }) => expected === "ok" && (object as { kind: string }).kind === kind)
      .map(({ object }) => thinned(JSON.parse(JSON.stringify(object))));
    const all = samples.flatMap((object) => boundsOf(schema, object));
    // Where another rule forbids so much in one sample, it does not in the next.
    const [first, good] = [all, all.filter(({ atMost }) => accepts(atMost))];
    return [...new Map([...first, ...good].map((bound) => [fieldOf(bound.path), bound])).values()];
  };

  it.each([
    ["PortHardeningPolicy", "porthardeningpolicies", 40],
    ["PortHardeningAddressGroup", "porthardeningaddressgroups", 1],
  ])("of %s can be met, and one more is refused by the field's name", async (kind, plural, atLeast) => {
    const found = await bounds(kind, plural);
    expect(found.length).toBeGreaterThanOrEqual(atLeast);
    const wrong = await Promise.all(
      found.map(async ({ path, atMost, oneMore }) => {
        const [met, passed] = await Promise.all([tryCreate(wire, atMost), tryCreate(wire, oneMore)]);
        const named = passed !== undefined && problemsOf(passed).some((one) => one.startsWith(`${pathText(path)}: `));
        return met === undefined && named
          ? []
          : [`${pathText(path)}: met: ${met?.message ?? "accepted"}; passed: ${passed?.message ?? "accepted"}`];
      }),
    );
    expect(wrong.flat()).toEqual([]);
  });
});
