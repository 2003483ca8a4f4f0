import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type TagId,
  type Tags,
} from "yaml";

/** One object of a file. */
export interface Manifest {
  readonly file: string;
  readonly line: number;
  /** As the API server would get it; any shape. */
  readonly object: unknown;
  /** Line of a field (`spec.allow[1].ports`), or of the innermost thing around it that the file has. */
  lineOf(path: string): number;
}

/** What keeps a file, or one of its documents, from being read. */
export interface ReadProblem {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ReadProblem[];
}

/**
 * Every object of a file, as kubectl reads it: YAML 1.1 (`yes` is true, 010 is 8), many documents, the items of Lists. But
 * as in Go's parser 1:30 is no number and a date no time.
 */
export function parseManifests(file: string, text: string): Manifests {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: "1.1",
    lineCounter: lines,
    prettyErrors: false,
    customTags: (tags: Tags) => tags.filter((tag) => !isTime(tag)),
  });
  const manifests: Manifest[] = [];
  const problems: ReadProblem[] = [];
  for (const document of documents) {
    for (const { message, pos } of document.errors) problems.push({ file, line: lines.linePos(pos[0]).line, message });
    if (document.errors.length > 0 || document.contents === null) continue;
    try {
      manifests.push(...objectsOf(file, document, lines));
    } catch (error) {
      // Aliases that would unfold without end.
      const message = error instanceof Error ? error.message : String(error);
      problems.push({ file, line: lines.linePos(document.range[0]).line, message });
    }
  }
  return { manifests, problems };
}

function isTime(tag: TagId | Tags[number]): boolean {
  if (typeof tag === "string") return tag === "timestamp" || tag === "intTime" || tag === "floatTime";
  return "format" in tag && tag.format === "TIME" ? true : tag.tag === "tag:yaml.org,2002:timestamp";
}

function objectsOf(file: string, document: Document.Parsed, lines: LineCounter): Manifest[] {
  const object: unknown = document.toJS();
  if (object === null) return [];
  const manifest = (value: unknown, prefix: string): Manifest => {
    const lineOf = (path: string) => lineAt(document, lines, [prefix, path].filter((part) => part !== "").join("."));
    return { file, line: lineOf(""), object: value, lineOf };
  };
  const { kind, items } = object as { kind?: unknown; items?: unknown };
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [manifest(object, "")];
  return items.map((item: unknown, index) => manifest(item, `items[${index}]`));
}

/** Keys may hold dots themselves, so the longest key that fits is taken. */
function lineAt(document: Document.Parsed, lines: LineCounter, path: string): number {
  let node: unknown = document.contents;
  let rest = path;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  while (rest !== "") {
    if (isAlias(node)) node = (node as Alias).resolve(document);
    const step = isSeq(node) ? itemStep(node.items, rest) : isMap(node) ? keyStep(node.items, rest) : undefined;
    if (step === undefined) break;
    node = step.value;
    rest = step.rest.replace(/^\./, "");
    offset = step.offset ?? offset;
  }
  return lines.linePos(offset ?? 0).line;
}

interface PathStep {
  readonly value: unknown;
  readonly rest: string;
  readonly offset: number | undefined;
}

function itemStep(items: readonly unknown[], path: string): PathStep | undefined {
  const [head = "", index] = /^\[(\d+)\]/.exec(path) ?? [];
  const value = index === undefined ? undefined : items[Number(index)];
  return isNode(value) ? { value, rest: path.slice(head.length), offset: value.range?.[0] } : undefined;
}

function keyStep(items: readonly { key: unknown; value: unknown }[], path: string): PathStep | undefined {
  const found = items.flatMap(({ key, value }): PathStep[] => {
    if (!isScalar(key)) return [];
    const name = String(key.value);
    return [name, `[${name}]`].flatMap((head) => {
      const rest = path.slice(head.length);
      return path.startsWith(head) && /^($|\.|\[)/.test(rest) ? [{ value, rest, offset: key.range?.[0] }] : [];
    });
  });
  return found.toSorted((a, b) => a.rest.length - b.rest.length)[0];
}
