import { UnknownFormError } from "./errors.ts";

/** One option of a rule: `! --ctstate RELATED` is `{ name: "--ctstate", values: ["RELATED"], negated: true }`. */
export interface RuleOption {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
}

/** A rule as iptables-save prints it, taken apart: options in their order, with all the words up to the next option. */
export function ruleOptions(text: string): RuleOption[] {
  const options: { name: string; values: string[]; negated: boolean }[] = [];
  let negated = false;
  for (const word of words(text)) {
    if (word === "!") {
      if (negated) throw new UnknownFormError("a double !", text);
      negated = true;
    } else if (word.startsWith("-")) {
      options.push({ name: word, values: [], negated });
      negated = false;
    } else {
      const last = options.at(-1);
      if (last === undefined || negated) throw new UnknownFormError(`"${word}" in this place`, text);
      last.values.push(word);
    }
  }
  if (negated) throw new UnknownFormError("a ! without an option", text);
  return options;
}

/** Blanks divide words; quotes hold one together. Nothing of ours needs a backslash. */
function words(text: string): string[] {
  if (text.includes("\\")) throw new UnknownFormError("escaped characters", text);
  const found = text.match(/"[^"]*"|[^\s"]+/g) ?? [];
  return found.map((word) => word.replaceAll('"', ""));
}
