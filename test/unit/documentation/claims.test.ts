import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { blocksOf } from "../../documentation/blocks.ts";
import { documentAt, tree } from "../../documentation/documents.ts";

const read = (path: string) => readFileSync(join(tree, path), "utf8");
const rendered = globSync("src/render/*.ts", { cwd: tree }).map(read).join("\n");

describe("the pictures in README", () => {
  const pictures = blocksOf(documentAt("README.md")).filter(({ language }) => language === "mermaid");

  it("name chains, hooks and kinds that there are", () => {
    const text = pictures.map((picture) => picture.text).join("\n");
    const kinds = globSync("crds/*.yaml", { cwd: tree }).map((path) => /^ {4}kind: (\w+)$/m.exec(read(path))?.[1]);
    for (const [kind] of text.matchAll(/PortHardening\w+/g)) expect(kinds).toContain(kind);
    const chains = [...text.matchAll(/PH-[A-Z]+/g)].map(([chain]) => chain);
    expect(chains.toSorted()).toEqual(["PH-IN", "PH-OUT", "PH-PRE"]);
    for (const chain of chains) expect(rendered).toContain(`"${chain}"`);
    for (const hook of ["PREROUTING", "OUTPUT"]) expect(rendered).toContain(`"${hook}"`);
  });

  it("draw arrows between boxes alone: every end has a shape or a subject of its own", () => {
    expect(pictures).toHaveLength(2);
    for (const { text } of pictures) {
      const [first, ...lines] = text.trim().split("\n");
      expect(first).toMatch(/^flowchart (?:LR|TB)$/);
      const named = new Set([...text.matchAll(/(\w+)(?:\["[^"]*"\]|\(\["[^"]*"\]\))/g)].map(([, name]) => name));
      for (const line of lines) {
        const ends = line
          .trim()
          .split(/ -->(?:\|(?:"[^"]*"|[^|"]*)\|)? /)
          .map((end) => /^\w+/.exec(end)?.[0]);
        expect(ends.length, line).toBeGreaterThan(1);
        for (const end of ends) expect(named, line).toContain(end);
      }
    }
  });
});

describe("docs/support-matrix.md", () => {
  const { text } = documentAt("docs/support-matrix.md");

  it("names the versions that tests run", () => {
    for (const module of ["test/controlplane/go.mod", "test/nodeprograms/go.mod"]) {
      const version = /k8s\.io\/kubernetes v(\S+)/.exec(read(module))?.[1];
      expect(text).toContain(`| versions | ${version}:`);
    }
    expect(read("scripts/setup.sh")).toMatch(/^helm_version=v4\./m);
    expect(text).toContain("| Helm 4,");
    expect(read("charts/port-hardening/Chart.yaml")).toContain('kubeVersion: ">=1.34.0-0"');
  });

  it("names each kernel module that a rule asks for", () => {
    const matches = new Set([...rendered.matchAll(/-m ([a-z]+)/g)].map(([, name]) => name));
    // Part of xt_tcpudp, which everything loads.
    matches.delete("tcp");
    expect([...matches].filter((name) => !text.includes(`\`xt_${name}\``))).toEqual([]);
    const sets = new Set(
      [...rendered.matchAll(/hash:([a-z]+(?:,[a-z]+)*)/g)].map(([, name = ""]) => name.replaceAll(",", "")),
    );
    expect([...sets].filter((name) => !text.includes(`\`ip_set_hash_${name}\``))).toEqual([]);
  });

  it("knows the interfaces of the plugins that it says are known", () => {
    const table = text.slice(text.indexOf("## CNI plugins"), text.indexOf("## Other firewalls"));
    const named = [...table.matchAll(/`([a-z][a-z0-9_-]*\+?)`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => /\+|-gw|-mp/.test(name));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !DEFAULT_NODE_SETTINGS.podInterfaces.includes(name))).toEqual([]);
  });
});
