import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";
import { type Document, documentAt, documents, tree } from "../../documentation/documents.ts";

interface Link {
  readonly from: string;
  readonly target: string;
}

/** Links of running text and of tables; those in blocks and code spans are none. */
function linksOf({ path, text }: Document): readonly Link[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = ""]) => ({ from: path, target }));
}

/** The anchors that GitHub gives to headings: lower case, without punctuation, blanks as hyphens, repeated ones numbered. */
function anchorsOf({ text }: Document): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const headings = text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) => {
      const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
      const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

function problemOf({ from, target }: Link): string | undefined {
  if (/^(?:https?|mailto):/.test(target)) return undefined;
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : normalize(join(dirname(from), file));
  if (path.startsWith("..") || !existsSync(join(tree, path))) return `${from}: ${target}: ${path} is not there`;
  if (anchor === undefined || anchorsOf(documentAt(path)).has(anchor)) return undefined;
  return `${from}: ${target}: ${path} has no such heading`;
}

const links = documents().flatMap(linksOf);

it("every link in README and docs leads to a file that is there, and to a heading of it", () => {
  expect(links.length).toBeGreaterThan(100);
  expect(links.flatMap((link) => problemOf(link) ?? [])).toEqual([]);
});

it("a link that leads nowhere, or to no heading, is found", () => {
  const link = (target: string) => problemOf({ from: "docs/install.md", target });
  expect(link("nowhere.md")).toContain("docs/nowhere.md is not there");
  expect(link("values.md#nothing")).toContain("no such heading");
  expect(link("#uninstall")).toBeUndefined();
  expect(link("../README.md#install-it")).toBeUndefined();
});

it("every page of docs can be reached from its table of contents", () => {
  const reached = new Set(["docs/README.md"]);
  for (const path of reached) {
    for (const { target } of linksOf(documentAt(path))) {
      const next = normalize(join(dirname(path), target.split("#")[0] ?? ""));
      if (next.startsWith("docs/") && next.endsWith(".md")) reached.add(next);
    }
  }
  const pages = documents()
    .map(({ path }) => path)
    .filter((path) => path.startsWith("docs/"));
  expect(pages.filter((page) => !reached.has(page))).toEqual([]);
});
