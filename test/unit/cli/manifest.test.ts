import { describe, expect, it } from "vitest";
import { parseManifests } from "../../../src/cli/manifest.ts";

function objects(text: string): unknown[] {
  return parseManifests("file.yaml", text).manifests.map(({ object }) => object);
}

describe("parseManifests", () => {
  it("reads YAML 1.1, as kubectl does", () => {
    expect(objects("{a: yes, b: off, c: 010, d: 0x1f, e: 1_000, f: '080'}")).toEqual([
      { a: true, b: false, c: 8, d: 31, e: 1000, f: "080" },
    ]);
  });

  it("takes neither 1:30 for a number nor a date for a time: Go's parser does not", () => {
    expect(objects("{port: 1:30, day: 2026-01-31}")).toEqual([{ port: "1:30", day: "2026-01-31" }]);
  });

  it("reads many documents and the items of lists, and passes over empty ones", () => {
    const text = "---\nkind: A\n---\n# nothing\n---\nkind: List\nitems:\n- kind: B\n- kind: C\n";
    expect(objects(text)).toEqual([{ kind: "A" }, { kind: "B" }, { kind: "C" }]);
  });

  it("reads JSON", () => {
    expect(objects('{"kind": "A", "spec": {"ports": [1, "2-3"]}}')).toEqual([
      { kind: "A", spec: { ports: [1, "2-3"] } },
    ]);
  });

  it("says where a document is malformed, and reads the others", () => {
    const { manifests, problems } = parseManifests("file.yaml", "kind: A\n---\nkind: B\nx: ]\n---\nkind: C\n");
    expect(manifests.map(({ object }) => object)).toEqual([{ kind: "A" }, { kind: "C" }]);
    expect(problems[0]).toMatchObject({ file: "file.yaml", line: 4 });
  });

  it("refuses a key that stands twice: one of the two would be lost without a word", () => {
    expect(parseManifests("file.yaml", "a: 1\na: 2\n").problems).toMatchObject([{ line: 2 }]);
  });

  it("does not unfold aliases without end", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdef".split("").map((key, index) => {
        const before = "abcde"[index] ?? "";
        return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`;
      }),
    ];
    expect(parseManifests("file.yaml", bomb.join("\n")).problems[0]?.message).toMatch(/alias/i);
  });

  it("finds the line of a field, or of the innermost thing around one that is absent", () => {
    const text = [
      "kind: List",
      "items:",
      "- kind: A",
      "  spec:",
      "    allow:",
      "    - name: one",
      "    - name: two",
      "      ports: [1,",
      "        99999]",
      "    sysctls:",
      "      net.ipv4.x: 1",
    ].join("\n");
    const [manifest] = parseManifests("file.yaml", text).manifests;
    const line = (path: string) => manifest?.lineOf(path);
    expect(["", "spec.allow[1]", "spec.allow[1].ports[1]", "spec.sysctls.net.ipv4.x"].map(line)).toEqual([3, 7, 9, 11]);
    expect(["spec.sysctls[net.ipv4.x]", "spec.allow[1].from", "spec.mode", "metadata.name"].map(line)).toEqual([
      11, 7, 4, 3,
    ]);
  });
});
