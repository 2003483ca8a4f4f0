import { describe, expect, it } from "vitest";
import { NODE_PROBLEMS } from "../../../src/agent/node-status.ts";
import { nodeStateStatusSchema } from "../../../src/api/node-state.ts";
import { documentAt } from "../../documentation/documents.ts";
import { statusWords } from "../../documentation/status-words.ts";

const { text } = documentAt("docs/troubleshooting.md");
const words = text.slice(text.indexOf("## Words of the status"));
/** First cells of the tables, whose header says that they are reasons or conditions. */
const listed = new Set(
  [...words.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word),
  ),
);
const known = statusWords();

describe("docs/troubleshooting.md", () => {
  it("says of every reason that a status can show what it means and what to do", () => {
    expect(known.size).toBeGreaterThan(40);
    expect([...known].filter((word) => !words.includes(`\`${word}\``))).toEqual([]);
    const rows = [...words.matchAll(/^\| `.*$/gm)].map(([row]) =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(rows.filter((cells) => cells.some((cell) => cell === ""))).toEqual([]);
  });

  it("lists no reason that there is not", () => {
    const conditions: readonly string[] = NODE_PROBLEMS;
    expect([...listed].filter((word) => !known.has(word) && !conditions.includes(word))).toEqual([]);
  });

  it("names every state of a policy on a node, and every condition of a node", () => {
    const states = nodeStateStatusSchema.shape.policies.unwrap().element.shape.state.options;
    expect(states.filter((state) => !new RegExp(`^State \`${state}\``, "m").test(words))).toEqual([]);
    expect(NODE_PROBLEMS.filter((type) => !words.includes(`| \`${type}\` |`))).toEqual([]);
  });
});
