/**
 * What is dropped or rejected, and would pass if the observing policies were enforced. It can be told only before: its
 * hooks stand ahead of those that enforce, and a copy of the enforced judgement, without its limits, says what these
 * will make of the packet. Only defaults can be opened (deny beats allow), or, by trust, all of what another policy
 * judges. Limits come behind the judgement: what they would then drop of it is not deducted.
 */
import { contentHash } from "../plan/content-hash.ts";
import type { Family, NodeDirection, NodePlan } from "../plan/node-plan.ts";
import type { ObservedPlan } from "../plan/observed-types.ts";
import { type Dispatch, dispatch, INBOUND, OUTBOUND, type Way } from "./dispatch.ts";
import { entryRules, scopeRules } from "./entry-matches.ts";
import { judgesSctp, renderGate } from "./inbound.ts";
import { classChain, type InterfaceClass, interfaceClasses } from "./interface-class.ts";
import { failsafeRules } from "./judgement.ts";
import { NO_OBSERVER, type Observer } from "./observer.ts";
import { OWN, outboundTrust, outputHook } from "./outbound.ts";
import { type TallyBook, talliedAs, tallyBook } from "./tally.ts";
import { trustRules, trustsEverywhere } from "./trust.ts";
import type { Chain } from "./types.ts";
import { observes } from "./would-drop.ts";

const IN: Way = {
  ...INBOUND,
  judgeChain: "PH-WO-JUDGE",
  trustChain: "PH-WO-TRUST",
  judgeKind: "WOJ",
  trustedKind: "WOT",
};
const OUT: Way = {
  ...OUTBOUND,
  judgeChain: "PH-WO-OUT-JUDGE",
  trustChain: "PH-WO-OUT-TRUST",
  judgeKind: "WOOJ",
  trustedKind: "WOOT",
};

interface Opening {
  readonly way: Way;
  readonly family: Family;
  readonly book: TallyBook;
  readonly observes: (direction: NodeDirection) => boolean;
}

const PASS = "-j RETURN";

/** The enforced judgement of a class: what it drops by a deny and by a default goes to these targets. */
function enforced(scopes: readonly NodeDirection[], denied: string, dropped: string, { way, family }: Opening) {
  return [
    ...scopes.flatMap(({ deny }) => deny.flatMap((entry) => entryRules(entry, way, family, denied))),
    ...scopes.flatMap(({ allow }) => allow.flatMap((entry) => entryRules(entry, way, family, PASS))),
    ...scopes.flatMap((scope) => scopeRules(scope, scope.defaultAction === "Allow" ? PASS : dropped)),
  ];
}

/** What an enforced default drops: an observed allow opens it, or a default of Allow that comes first. */
function openers(scopes: readonly NodeDirection[], { way, family, book, observes }: Opening): string[] {
  return [
    ...scopes.filter(observes).flatMap(({ policy, allow }) =>
      allow.flatMap((entry) => {
        const tallied = { policy, entry: entry.name, hash: entry.hash };
        return entryRules(entry, way, family, book.count(tallied));
      }),
    ),
    ...scopes.flatMap((scope) => {
      const opens = observes(scope) && scope.defaultAction === "Allow";
      return scopeRules(scope, opens ? book.count(talliedAs("default", scope)) : PASS);
    }),
  ];
}

function canOpen(one: InterfaceClass, { observes }: Opening): boolean {
  const { scopes } = one;
  const closes = scopes.some((scope) => !observes(scope) && scope.defaultAction !== "Allow");
  return (
    closes && scopes.some((scope) => observes(scope) && (scope.allow.length > 0 || scope.defaultAction === "Allow"))
  );
}

function renderClass(one: InterfaceClass, opening: Opening): Dispatch {
  if (!canOpen(one, opening)) return { chains: [], entry: PASS };
  const { way, family } = opening;
  const name = classChain(way.judgeKind, one);
  const open = classChain(`${way.judgeKind}A`, one);
  const denied = one.scopes
    .filter(opening.observes)
    .flatMap(({ deny }) => deny.flatMap((entry) => entryRules(entry, way, family, PASS)));
  const closing = one.scopes.filter((scope) => !opening.observes(scope));
  return {
    chains: [
      { name, rules: [...denied, ...enforced(closing, PASS, `-g ${open}`, opening)] },
      { name: open, rules: openers(one.scopes, opening) },
    ],
    entry: `-g ${name}`,
  };
}

/** One observing policy that trusts the cluster, where a policy that does not judges it. */
function trustOpener(one: InterfaceClass, trusting: NodeDirection, opening: Opening): Chain {
  const closing = one.scopes.filter((scope) => !opening.observes(scope));
  const target = opening.book.count(talliedAs("trust", trusting));
  const id = contentHash({ interface: one.pattern ?? "", policy: trusting.policy }, 8);
  return { name: `PH-${opening.way.trustedKind}X-${id}`, rules: enforced(closing, target, target, opening) };
}

/** Trusted traffic of a class: passes, or is judged where an enforced policy does not trust the cluster. */
function renderTrusted(one: InterfaceClass, judge: string, opening: Opening): Dispatch {
  const closing = one.scopes.filter((scope) => !opening.observes(scope));
  if (trustsEverywhere(closing)) return { chains: [], entry: PASS };
  const name = classChain(opening.way.trustedKind, one);
  const trusting = one.scopes.filter((scope) => opening.observes(scope) && scope.trustCluster);
  const chains = trusting.map((scope) => trustOpener(one, scope, opening));
  const rules = [
    ...closing.filter(({ trustCluster }) => trustCluster).flatMap((scope) => scopeRules(scope, PASS)),
    ...trusting.flatMap((scope, index) => scopeRules(scope, `-g ${chains[index]?.name}`)),
    judge,
  ];
  return { chains: [{ name, rules }, ...chains], entry: `-g ${name}` };
}

interface Judges {
  readonly judge: string;
  readonly trusted: string;
  readonly chains: readonly Chain[];
  readonly trustedChains: readonly Chain[];
}

function renderJudges(directions: readonly NodeDirection[], opening: Opening): Judges | undefined {
  const { way } = opening;
  const classes = interfaceClasses(directions, []);
  const rendered = classes.map((one) => renderClass(one, opening));
  const trusted = classes.map((one, index) => renderTrusted(one, rendered[index]?.entry ?? PASS, opening));
  if (opening.book.chains().length === 0) return undefined;
  const judge = toClasses(way.judgeChain, way, classes, rendered);
  const trust = toClasses(way.trustChain, way, classes, trusted);
  return { judge: judge.entry, trusted: trust.entry, chains: judge.chains, trustedChains: trust.chains };
}

/** One rule where all classes do the same. */
function toClasses(
  name: string,
  way: Way,
  classes: readonly InterfaceClass[],
  rendered: readonly Dispatch[],
): Dispatch {
  if (rendered.every(({ entry }) => entry === PASS)) return { chains: [], entry: PASS };
  const entries = rendered.map(({ entry }) => entry);
  const { chains, entry } = dispatch(name, way, classes, entries);
  return { chains: [...chains, ...rendered.flatMap((one) => one.chains)], entry };
}

export function wouldOpenInbound(plan: NodePlan, observed: ObservedPlan, family: Family): Observer {
  const book = tallyBook("Open", IN, family);
  const judges = renderJudges(observed.inbound, { way: IN, family, book, observes: observes(observed) });
  if (judges === undefined) return NO_OBSERVER;
  const names = { pre: "PH-WO-PRE", input: "PH-WO-INPUT", judge: "PH-WO-IN" };
  // Only what is enforced can be opened.
  const gate = renderGate(plan, { ...names, sctp: judgesSctp(plan), head: [], notCut: "" }, family);
  const trust = trustRules(plan, family, "PH-WO-PODS", judges.trusted, judges.judge);
  const failsafes = failsafeRules(plan.failsafes.inbound, plan.trust, IN, family);
  const chains = [
    ...gate.chains,
    { name: names.judge, rules: [...failsafes, ...trust.rules, judges.judge] },
    ...trust.chains,
    ...(trust.rules.length > 0 ? judges.trustedChains : []),
    ...judges.chains,
    ...book.chains(),
  ];
  return { chains, hooks: gate.hooks, sets: book.sets() };
}

export function wouldOpenOutbound(plan: NodePlan, observed: ObservedPlan, family: Family): Observer {
  const book = tallyBook("Open", OUT, family);
  const judges = renderJudges(observed.outbound, { way: OUT, family, book, observes: observes(observed) });
  if (judges === undefined) return NO_OBSERVER;
  const trust = outboundTrust(plan, family, judges.trusted);
  const failsafes = failsafeRules(plan.failsafes.outbound, plan.trust, OUT, family);
  const chains = [
    { name: "PH-WO-OUT", rules: [...OWN, ...failsafes, ...trust, judges.judge] },
    ...(trust.length > 0 ? judges.trustedChains : []),
    ...judges.chains,
    ...book.chains(),
  ];
  return { chains, hooks: [outputHook(plan, family, "PH-WO-OUT")], sets: book.sets() };
}
