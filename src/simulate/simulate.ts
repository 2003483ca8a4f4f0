import type { RuleSet, Table } from "../render/types.ts";
import { connectionLookup, setLookup } from "./address-block.ts";
import { UnknownFormError } from "./errors.ts";
import type { SetLookup, Sets } from "./match-options.ts";
import type { ArrivingPacket, Packet, PacketAtHook } from "./packet.ts";
import { parseRule, type RuleOwner } from "./parse-rule.ts";
import { type Step, type Walk, type WalkedChain, walk } from "./walk.ts";

/** A rule that had a say, as text and by whom it is. */
export interface RuleReference extends Partial<RuleOwner> {
  readonly chain: string;
  readonly rule: string;
}

export interface Verdict {
  readonly verdict: Walk["outcome"];
  /**
   * The rule that decided: the last one met of a policy's entry, else the last one met at all. undefined: no rule of ours
   * looked at the packet.
   */
  readonly decidedBy: RuleReference | undefined;
  /** Limits that count the packet: it passes as long as they are not exceeded. Empty where it is dropped. */
  readonly mayBeLimitedBy: readonly RuleReference[];
  /** What policies that only observe count of the packet. */
  readonly observed: readonly ObservedReference[];
}

/** What would become of the packet, by a policy that observes. MayBeDropped: where it is above a limit. */
export interface ObservedReference extends RuleReference {
  readonly would: "BeDropped" | "Pass" | "MayBeDropped";
}

/** Built-in chains that hold hooks of ours, by table. */
const HOOKS: Readonly<Record<string, readonly string[]>> = { mangle: ["PREROUTING", "INPUT"], filter: ["OUTPUT"] };

/** What the rules make of one packet; see `simulator`. */
export function simulate(ruleSet: RuleSet, packet: Packet): Verdict {
  return simulator(ruleSet)(packet);
}

/**
 * Reads rendered rules once, and says of packets what the kernel would do with them: the text alone counts, nothing of
 * what made it is used. Rates are not simulated: a packet is within every limit, and the limits are named. Throws
 * UnknownFormError where any rule has a form that is not known here.
 */
export function simulator(ruleSet: RuleSet): (packet: Packet) => Verdict {
  const lookups = new Map(
    ruleSet.sets.map(({ name, family, type = "hash:net", entries }) => {
      const holds: SetLookup =
        type === "hash:net" ? { address: setLookup(entries) } : { connection: connectionLookup(entries) };
      return [name, { family, holds }];
    }),
  );
  const filled = new Set((ruleSet.counted ?? []).map(({ name, family }) => `${family} ${name}`));
  const tables = new Map<string, ParsedTable>();
  for (const table of ruleSet.tables) {
    const key = `${table.name} ${table.family}`;
    if (tables.has(key)) throw new UnknownFormError("two tables of one name", key);
    const sets: Sets = (name) => {
      if (filled.has(`${table.family} ${name}`)) return { filled: true };
      const set = lookups.get(name);
      return set?.family === table.family ? set.holds : undefined;
    };
    tables.set(key, parseTable(table, sets));
  }
  const rejects = markReader(ruleSet.nftTable);
  return (packet) => {
    const walks: Walk[] = [];
    for (const { table, hook, at } of pathOf(packet)) {
      const parsed = tables.get(`${table} ${packet.family}`);
      const start = parsed?.hooks.get(hook);
      if (parsed === undefined || start === undefined) continue;
      const one = walk(start, parsed.chains, at);
      walks.push({ ...one, outcome: rejects(one.mark) ? "Rejected" : one.outcome });
      if (walks.at(-1)?.outcome !== "Passed") break;
    }
    return verdictOf(walks);
  };
}

/** Whether the nft table, right behind mangle, rejects a packet with this mark that opens a connection. */
function markReader(nftTable: string | undefined): (mark: number) => boolean {
  if (nftTable === undefined) return () => false;
  const rules = nftTable.split("\n").filter((line) => /^\t\t(?!type filter hook )/.test(line));
  const bits = rules.map((rule) => {
    const [, bit, same] =
      /^\t\tmeta mark & (0x[0-9a-f]{8}) == (0x[0-9a-f]{8}) .*\breject( with tcp reset)?$/.exec(rule) ?? [];
    if (bit === undefined || bit !== same) throw new UnknownFormError("an nft rule", rule);
    return Number(bit);
  });
  return (mark) => bits.some((bit) => (mark & bit) === bit);
}

interface ParsedTable {
  readonly hooks: ReadonlyMap<string, WalkedChain>;
  readonly chains: ReadonlyMap<string, WalkedChain>;
}

function parseTable({ name, hooks, chains }: Table, sets: Sets): ParsedTable {
  const parse = (chain: string, rules: readonly string[]): [string, WalkedChain] => [
    chain,
    { name: chain, rules: rules.map((text) => parseRule(text, sets)) },
  ];
  const unknown = hooks.find(({ chain }) => !HOOKS[name]?.includes(chain));
  if (unknown !== undefined) throw new UnknownFormError(`hook ${unknown.chain} in ${name}`, unknown.rules.join("\n"));
  return {
    hooks: new Map(hooks.map(({ chain, rules }) => parse(chain, rules))),
    chains: new Map(chains.map((chain) => parse(chain.name, chain.rules))),
  };
}

interface Place {
  readonly table: string;
  readonly hook: string;
  readonly at: PacketAtHook;
}

/** The hooks that a packet passes, in their order. INPUT comes only where it ends on the node. */
function pathOf(packet: Packet): Place[] {
  if ("out" in packet) {
    const leaving = { in: "", sourceType: "LOCAL", ...untranslated(packet) } as const;
    return [{ table: "filter", hook: "OUTPUT", at: { ...leaving, ...packet } }];
  }
  const arriving: PacketAtHook = { ...packet, out: "", sourceType: "UNICAST", ...untranslated(packet) };
  const prerouting = { table: "mangle", hook: "PREROUTING", at: arriving };
  const at = atInput(packet, arriving);
  return at === undefined ? [prerouting] : [prerouting, { table: "mangle", hook: "INPUT", at }];
}

function untranslated({ destination }: Packet): Pick<PacketAtHook, "originalDestination" | "translated"> {
  return { originalDestination: destination, translated: false };
}

/** undefined where the packet is forwarded or goes nowhere. */
function atInput({ translation }: ArrivingPacket, arriving: PacketAtHook): PacketAtHook | undefined {
  if (translation === undefined) return arriving.destinationType === "UNICAST" ? undefined : arriving;
  if (!translation.toNode) return undefined;
  const { destination, destinationPort } = translation;
  return { ...arriving, destination, destinationPort, destinationType: "LOCAL", translated: true };
}

function verdictOf(walks: readonly Walk[]): Verdict {
  const steps = walks.flatMap((one) => one.steps).filter((step) => !isObservers(step));
  const decided = steps.findLast(({ rule }) => rule.owner !== undefined) ?? steps.at(-1);
  const verdict = walks.at(-1)?.outcome ?? "Passed";
  return {
    verdict,
    decidedBy: decided === undefined ? undefined : reference(decided),
    mayBeLimitedBy: verdict === "Passed" ? walks.flatMap(({ limits }) => limits.map(reference)) : [],
    observed: walks.flatMap(observedBy),
  };
}

/** In a chain of an observer, or leading there: decides nothing. */
function isObservers({ chain, rule }: Step): boolean {
  return chain.startsWith("PH-W") || rule.target.name.startsWith("PH-W");
}

function observedBy({ steps, countingLimits }: Walk): ObservedReference[] {
  const counted = steps.filter(({ rule }) => rule.target.addsTo !== undefined && rule.owner !== undefined);
  return [
    ...counted.map((step) => ({
      ...reference(step),
      would: step.chain.startsWith("PH-WO") ? ("Pass" as const) : ("BeDropped" as const),
    })),
    ...countingLimits.map((step) => ({ ...reference(step), would: "MayBeDropped" as const })),
  ];
}

function reference({ chain, rule }: Step): RuleReference {
  return { ...rule.owner, chain, rule: rule.text };
}
