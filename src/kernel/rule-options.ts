/** One option of a rule as iptables-save prints it: `! --ctstate RELATED,ESTABLISHED`. */
export interface RuleOption {
  readonly name: string;
  readonly negated: boolean;
  readonly values: readonly string[];
  /** The match that was loaded last before it (`-m conntrack`). */
  readonly module: string;
}

export interface ForeignRule {
  readonly options: readonly RuleOption[];
  /** A rule without one only counts. */
  readonly target: string | undefined;
  readonly goto: boolean;
  /** What stands behind the target. */
  readonly targetOptions: readonly RuleOption[];
}

/** Reads any rule: what it means is for others to know. Words in quotes are values, whatever they begin with. */
export function readRule(text: string): ForeignRule {
  const options: RuleOption[] = [];
  const targetOptions: RuleOption[] = [];
  let target: string | undefined;
  let goto = false;
  let negated = false;
  let module = "";
  const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)];
  for (let at = 0; at < words.length; at += 1) {
    const [, quoted, bare = ""] = words[at] ?? [];
    if (bare === "!") {
      negated = true;
      continue;
    }
    if (quoted !== undefined || !bare.startsWith("-")) continue;
    const values: string[] = [];
    // The one option whose bare value may begin with a dash.
    if (bare === "--comment") values.push(valueOf(words[++at]));
    else while (isValue(words[at + 1])) values.push(valueOf(words[++at]));
    const [first = ""] = values;
    if (bare === "-j" || bare === "-g") {
      target = first;
      goto = bare === "-g";
    } else if (bare === "-m" && target === undefined) {
      module = first;
      options.push({ name: bare, negated: false, values, module });
    } else (target === undefined ? options : targetOptions).push({ name: bare, negated, values, module });
    negated = false;
  }
  return { options, target, goto, targetOptions };
}

type Word = RegExpMatchArray | undefined;

function isValue(word: Word): boolean {
  return word !== undefined && (word[1] !== undefined || !/^(?:!$|-)/.test(word[2] ?? ""));
}

function valueOf(word: Word): string {
  return word?.[1] ?? word?.[2] ?? "";
}
