import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Definition, SchemaNode } from "../../../scripts/api-docs/schema-node.ts";
import { customResourceDefinitions } from "../../../src/api/crd.ts";

const text = readFileSync(join(import.meta.dirname, "../../../docs/api.md"), "utf8");

/** The row of a field in the table under a heading. */
function row(heading: string, field: string): string {
  const section = text.split(/^##+ /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  return section.split("\n").find((line) => line.startsWith(`| \`${field}\` |`)) ?? "";
}

/** Last names of all paths below a node. */
function names(node: SchemaNode): string[] {
  const below = [node.items, node.additionalProperties].flatMap((one) => (one === undefined ? [] : names(one)));
  const own = Object.entries(node.properties ?? {}).flatMap(([name, field]) => [name, ...names(field)]);
  return [...own, ...below];
}

describe("docs/api.md", () => {
  it("has every field of every kind", () => {
    const fields = Object.values(customResourceDefinitions()).flatMap((definition) => {
      const [version] = (definition as unknown as Definition).spec.versions;
      const { spec, status } = version?.schema.openAPIV3Schema.properties ?? {};
      return [spec, status].flatMap((part) => (part === undefined ? [] : names(part)));
    });
    const rows = new Set([...text.matchAll(/^\| `(?:[^`]*[.\]])?(\w+)` \|/gm)].map(([, name = ""]) => name));
    expect(fields.length).toBeGreaterThan(300);
    expect(fields.filter((field) => !rows.has(field))).toEqual([]);
  });

  it("says which fields are required, and the defaults of others", () => {
    expect(row("PortHardeningPolicy spec", "mode")).toContain("| `Enforce`, `Observe` | required |");
    expect(row("PortHardeningPolicy spec.firewall", "inbound.ports")).toContain(
      '| list of [Port](#port) | `["1024-65535"]` |',
    );
    expect(row("PortHardeningPolicy spec.ephemeralPorts", "range")).toContain("| string |  |");
  });

  it("says bounds, and rules of the object around a field at the field", () => {
    expect(row("PortHardeningPolicy spec.monitoring", "dropLog.perMinute")).toContain("1 to 6000.");
    expect(row("PortHardeningPolicy spec.firewall", "inbound.allow")).toMatch(
      /At most 64 items\. Unique by `name`\..*must lie inside/,
    );
    expect(row("PortHardeningPolicy spec.rateLimits", "[].prefixLength")).toContain(
      "Must be absent where scope is Total",
    );
  });

  it("describes once what stands in several places, and says there what holds only there", () => {
    expect(row("Peer", "addressGroup.selector")).toMatch(/\[LabelSelector\]\(#labelselector\).*at least one label/);
    expect(row("Peer", "nodes")).not.toContain("at least one label");
    expect(text).not.toContain("from[].ipBlock");
  });
});
