import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tree } from "./documents.ts";

/** Where reasons of statuses and conditions are made. */
const MAKERS = ["src/agent/*.ts", "src/controller/*.ts", "src/plan/*.ts"];
/** Where errors come from that an agent shows by their class. */
const THROWERS = ["src/kernel/*.ts"];
/** Makers of Events, which docs/operations.md lists. */
const EVENTS = new Set(["src/controller/node-happenings.ts", "src/controller/policy-happenings.ts"]);
/** Never shown: where there is no NodeState, there is no status to say it in. */
const UNSEEN = new Set(["NoNodeState"]);

/** Every word that the sources give as the reason of a policy, of a node or of a condition. */
export function statusWords(): ReadonlySet<string> {
  const made = read(MAKERS).flatMap(({ path, text }) => (EVENTS.has(path) ? [] : reasonsIn(text)));
  const thrown = read(THROWERS).flatMap(({ text }) =>
    [...text.matchAll(/class (\w+)Error extends/g)].map(([, name]) => `${name}Failed`),
  );
  return new Set([...made, ...thrown].filter((word) => !UNSEEN.has(word)));
}

function read(patterns: readonly string[]): readonly { readonly path: string; readonly text: string }[] {
  return globSync(patterns, { cwd: tree }).map((path) => ({ path, text: readFileSync(join(tree, path), "utf8") }));
}

/** `reason: "X"`, `reason = cond ? "X" : "Y"`, the members of a type of reasons, what is said where an error has no name. */
function reasonsIn(text: string): readonly string[] {
  const given = [...text.matchAll(/\breason(?:\?)?(?:: | = )([^;{}]*?)[;,}\n]/g)].map(([, value = ""]) => value);
  const members = [...text.matchAll(/\breason:\n((?:\s+\| "\w+";?\n?)+)/g)].map(([, list = ""]) => list);
  const fallbacks = [...text.matchAll(/reasonOf\([^)"]*("\w+")\)/g)].map(([, word = ""]) => word);
  const conditions = [...text.matchAll(/clipText\(reason \?\? ("\w+")/g)].map(([, word = ""]) => word);
  const all = [...given, ...members, ...fallbacks, ...conditions];
  // What something is compared with is no reason.
  return all.flatMap((value) => [...value.matchAll(/(?<!=== )"([A-Z]\w+)"/g)].map(([, word = ""]) => word));
}
