import { commentOf } from "./saved-rules.ts";

/**
 * Rendered rules are meant to be exactly what iptables-save prints, but other versions print some matches differently.
 * What a rewrite of a chain reads back as is remembered, so that later comparisons are exact again. In memory only:
 * after a restart such a chain is written once more.
 */
export interface PrintedForms {
  /** Whether the kernel's `printed` rules are these `rendered` ones. `place` names the chain and its family. */
  same(place: string, rendered: readonly string[], printed: readonly string[]): boolean;
  /** Takes `printed` for the form of `rendered`, which was just written, when both have as many rules with the same comments. */
  learn(place: string, rendered: readonly string[], printed: readonly string[]): boolean;
}

export function printedForms(): PrintedForms {
  /** By place: one form each, so this is bounded by the number of chains. */
  const learned = new Map<string, { readonly rendered: string; readonly printed: string }>();
  return {
    same(place, rendered, printed) {
      const [want, have] = [rendered.join("\n"), printed.join("\n")];
      if (want === have) return true;
      const form = learned.get(place);
      return form?.rendered === want && form.printed === have;
    },
    learn(place, rendered, printed) {
      if (rendered.length !== printed.length) return false;
      if (!rendered.every((rule, index) => commentOf(rule) === commentOf(printed[index] ?? ""))) return false;
      learned.set(place, { rendered: rendered.join("\n"), printed: printed.join("\n") });
      return true;
    },
  };
}
