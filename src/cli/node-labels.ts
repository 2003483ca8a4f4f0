import { InvalidArgumentError } from "commander";
import type { NodeFacts } from "../controller/node-facts.ts";
import type { NodeIdentity } from "../plan/compile.ts";
import type { Labels } from "../plan/select.ts";

/** `role=worker,zone=` as labels; an empty text is no label. */
export function nodeLabels(text: string): Readonly<Record<string, string>> {
  const parts = text.split(",").filter((part) => part !== "");
  return Object.fromEntries(
    parts.map((part) => {
      const [key = "", value, ...more] = part.split("=");
      if (key === "" || value === undefined || more.length > 0) {
        throw new InvalidArgumentError(`"${part}" is not key=value.`);
      }
      return [key, value];
    }),
  );
}

/** The node that is asked about: labels from its Node object, where that is among `nodes`; those given by hand win. */
export function nodeIdentity(name: string, labels: Labels, nodes: readonly NodeFacts[]): NodeIdentity {
  return { name, labels: { ...nodes.find((node) => node.name === name)?.labels, ...labels } };
}
