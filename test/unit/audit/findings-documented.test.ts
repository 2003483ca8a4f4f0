import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const tree = join(import.meta.dirname, "../../..");
const sources = readdirSync(join(tree, "src/audit"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);

/** Ids as the sources write them: `id: "topic.what"`, or the first argument of a function that makes findings. */
const ids = new Set(
  sources.flatMap((name) => {
    const text = readFileSync(join(tree, "src/audit", name), "utf8");
    return [...text.matchAll(/(?:\bid: |[fF]inding\(\s*)"([a-z]+\.[a-z0-9-]+)"/g)].map(([, id = ""]) => id);
  }),
);

/** Rows of docs/findings.md by id: severity, meaning, remedy, then one cell for each standard. */
const documented = new Map(
  [...readFileSync(join(tree, "docs/findings.md"), "utf8").matchAll(/^\| `([a-z]+\.[a-z0-9-]+)` \|(.*)\|$/gm)].map(
    ([, id = "", cells = ""]) => [id, cells.split("|").map((cell) => cell.trim())] as const,
  ),
);

it("documents every finding, with its severity, meaning, remedy and place in the standards", () => {
  expect(ids.size).toBeGreaterThan(5);
  expect([...documented.keys()].toSorted()).toEqual([...ids].toSorted());
  for (const [id, cells] of documented) {
    expect(cells, id).toHaveLength(6);
    expect(
      cells.filter((cell) => cell === ""),
      id,
    ).toEqual([]);
    expect(cells[4], `NIST SP 800-53 control of ${id}`).toMatch(/^(?:SC-7|CM-7|AU-6|SI-2|AC-3|SC-5|SC-8)\b/);
  }
});

it("refers to nothing in a standard that the section on standards does not name", () => {
  const text = readFileSync(join(tree, "docs/findings.md"), "utf8");
  const named = new Set(
    [...text.matchAll(/^\| ((?:[A-Z]{2}-)?[0-9.]+(?:\(\d+\))?) \|/gm)].map(([, name = ""]) => name),
  );
  expect(named.size).toBeGreaterThan(30);
  for (const [id, cells] of documented) {
    const references = cells.slice(3).flatMap((cell) => (cell === "none" ? [] : cell.split(", ")));
    expect(
      references.filter((reference) => !named.has(reference)),
      id,
    ).toEqual([]);
  }
});
