import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { customResourceDefinitions } from "../../../src/api/crd.ts";

const SCRIPT = new URL("../../../scripts/generate-crds.ts", import.meta.url).pathname;
const CRDS = new URL("../../../crds", import.meta.url).pathname;

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly [keyword: string]: unknown;
}
interface Definition {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }] };
}
interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly inList: boolean;
}

/** Every field of spec and status, items and values included. */
function fieldsOf(path: string, schema: Schema, inList = false): Field[] {
  const children: Field[] = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    fieldsOf(`${path}.${name}`, property, inList),
  );
  if (schema.items) children.push(...fieldsOf(`${path}[]`, schema.items, true));
  if (schema.additionalProperties) children.push(...fieldsOf(`${path}{}`, schema.additionalProperties, inList));
  return [{ path, schema, inList }, ...children];
}

const fields = Object.values(customResourceDefinitions()).flatMap((definition) => {
  const { kind, spec, status } = rootOf(definition as unknown as Definition);
  return [...fieldsOf(`${kind}.spec`, spec), ...(status ? fieldsOf(`${kind}.status`, status) : [])];
});

function rootOf(definition: Definition & { spec: { names?: { kind?: string } } }) {
  const { properties } = definition.spec.versions[0].schema.openAPIV3Schema;
  const spec = properties?.["spec"];
  if (spec === undefined) throw new Error("a definition without spec");
  return { kind: String(definition.spec.names?.kind), spec, status: properties?.["status"] };
}

function pathsWhere(is: (field: Field) => boolean): string[] {
  return fields.filter(is).map(({ path }) => path);
}

describe("the definitions", () => {
  it("describe every field, for kubectl explain", () => {
    expect(fields.length).toBeGreaterThan(100);
    expect(pathsWhere(({ path, schema }) => !/[\]}]$/.test(path) && !schema.description)).toEqual([]);
  });

  it("bound every text, list and map", () => {
    const unbounded = ({ schema }: Field) =>
      (schema.type === "string" && !schema["maxLength"] && !schema["enum"] && !schema["format"]) ||
      (schema.type === "array" && !schema["maxItems"]) ||
      (schema.additionalProperties !== undefined && !schema["maxProperties"]);
    expect(pathsWhere(unbounded)).toEqual([]);
  });

  it("set no default inside a list, where Argo CD would see a difference for ever", () => {
    expect(pathsWhere(({ schema, inList }) => inList && "default" in schema)).toEqual([]);
  });

  it("have a list type for every list", () => {
    const typeless = ({ schema }: Field) => schema.type === "array" && !schema["x-kubernetes-list-type"];
    expect(pathsWhere(typeless)).toEqual([]);
  });
});

describe("generate-crds --check", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ph-crds-"));
    cpSync(CRDS, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const check = () =>
    spawnSync(process.execPath, [SCRIPT, "--check", "--folder", folder], { encoding: "utf8", timeout: 10_000 });

  it("passes on what is committed", () => {
    expect(check()).toMatchObject({ status: 0, stderr: "" });
  });

  it("names a file that differs", () => {
    appendFileSync(join(folder, "porthardening.io_porthardeningpolicies.yaml"), "# edited\n");
    const { status, stderr } = check();
    expect(status).toBe(1);
    expect(stderr).toContain("crds/porthardening.io_porthardeningpolicies.yaml differs");
    expect(stderr).not.toContain("nodestates");
  });

  it("names a file that is missing", () => {
    rmSync(join(folder, "porthardening.io_porthardeningaddressgroups.yaml"));
    expect(check()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("porthardeningaddressgroups.yaml differs"),
    });
  });

  it("names a file that comes from no schema", () => {
    writeFileSync(join(folder, "old.yaml"), "");
    expect(check()).toMatchObject({ status: 1, stderr: expect.stringContaining("crds/old.yaml comes from no schema") });
  });
});
