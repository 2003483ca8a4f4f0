/**
 * What passes, and would not if the observing policies were enforced. Its hooks stand right behind those that enforce:
 * so only what passed comes by, limits included, and that needs no copy of the judgement.
 */

import type { Family, NodeDirection, NodePlan } from "../plan/node-plan.ts";
import type { ObservedPlan } from "../plan/observed-types.ts";
import { type Dispatch, dispatch, INBOUND, OUTBOUND, type Way } from "./dispatch.ts";
import { entryRules, scopeRules } from "./entry-matches.ts";
import { judgesSctp, rejectsInbound, renderGate } from "./inbound.ts";
import { classChain, type InterfaceClass, interfaceClasses } from "./interface-class.ts";
import { failsafeRules } from "./judgement.ts";
import { renderObservedCounts, renderObservedLimits } from "./observed-limits.ts";
import { NO_OBSERVER, type Observer } from "./observer.ts";
import { OWN, outboundTrust, outputHook } from "./outbound.ts";
import { marked } from "./reject.ts";
import { type TallyBook, talliedAs, tallyBook } from "./tally.ts";
import { renderTrusted, trustRules } from "./trust.ts";

const IN: Way = {
  ...INBOUND,
  judgeChain: "PH-WD-JUDGE",
  trustChain: "PH-WD-TRUST",
  judgeKind: "WDJ",
  trustedKind: "WDT",
};
const OUT: Way = {
  ...OUTBOUND,
  judgeChain: "PH-WD-OUT-JUDGE",
  trustChain: "PH-WD-OUT-TRUST",
  judgeKind: "WDOJ",
  trustedKind: "WDOT",
};

interface Observing {
  readonly way: Way;
  readonly family: Family;
  readonly book: TallyBook;
  readonly observes: (direction: NodeDirection) => boolean;
}

/** Enforced denies and drops cannot match what passed, so they are left out. `passed` is where what would pass too goes. */
function judgementRules(one: InterfaceClass, passed: string, { way, family, book, observes }: Observing): string[] {
  const observing = one.scopes.filter(observes);
  return [
    ...observing.flatMap(({ policy, deny }) =>
      deny.flatMap((entry) => entryRules(entry, way, family, book.count({ policy, ...nameOf(entry) }))),
    ),
    ...one.scopes.flatMap(({ allow }) => allow.flatMap((entry) => entryRules(entry, way, family, passed))),
    ...one.scopes.flatMap((scope) => {
      if (scope.defaultAction === "Allow") return scopeRules(scope, passed);
      return scopeRules(scope, observes(scope) ? book.count(talliedAs("default", scope)) : "-j RETURN");
    }),
  ];
}

function nameOf({ name, hash }: { readonly name: string; readonly hash: string }) {
  return { entry: name, hash };
}

function renderClass(one: InterfaceClass, limits: Dispatch, observing: Observing): Dispatch {
  const rules = judgementRules(one, limits.entry, observing);
  if (rules.length === 0) return limits;
  const name = classChain(observing.way.judgeKind, one);
  return { chains: [{ name, rules: [...rules, limits.entry] }, ...limits.chains], entry: `-g ${name}` };
}

export function wouldDropInbound(plan: NodePlan, observed: ObservedPlan, family: Family): Observer {
  const { inbound, rateLimits } = observed;
  if (inbound.length + rateLimits.length === 0) return NO_OBSERVER;
  const book = tallyBook("Drop", IN, family);
  const view = { ...plan, inbound, rateLimits };
  const classes = interfaceClasses(inbound, rateLimits);
  const observing = { way: IN, family, book, observes: observes(observed) };
  const rendered = classes.map((one) => renderClass(one, renderObservedLimits(view, one, family, book), observing));
  const judges = rendered.map(({ entry }) => entry);
  const judge = dispatch(IN.judgeChain, IN, classes, judges);
  const trusted = renderTrusted(IN, classes, judges);
  const trust = trustRules(plan, family, "PH-WD-PODS", trusted.entry, judge.entry);
  const counts = renderObservedCounts(rateLimits, family, book);
  // What is rejected is marked in mangle and gone only behind it.
  const head = rejectsInbound(plan) ? [`${marked(plan)} -j RETURN`] : [];
  const names = { pre: "PH-WD-PRE", input: "PH-WD-INPUT", judge: "PH-WD-IN" };
  const gate = renderGate(view, { ...names, sctp: judgesSctp(view), head, notCut: "" }, family);
  const failsafes = failsafeRules(plan.failsafes.inbound, plan.trust, IN, family);
  const chains = [
    ...gate.chains,
    { name: names.judge, rules: [...failsafes, ...trust.rules, judge.entry] },
    ...trust.chains,
    ...(trust.rules.length > 0 ? trusted.chains : []),
    ...judge.chains,
    ...rendered.flatMap((one) => one.chains),
    ...counts.chains,
  ];
  return { chains: [...chains, ...book.chains()], hooks: gate.hooks, sets: [...book.sets(), ...counts.sets] };
}

export function wouldDropOutbound(plan: NodePlan, observed: ObservedPlan, family: Family): Observer {
  const { outbound } = observed;
  if (outbound.length === 0) return NO_OBSERVER;
  const book = tallyBook("Drop", OUT, family);
  const classes = interfaceClasses(outbound, []);
  const observing = { way: OUT, family, book, observes: observes(observed) };
  const rendered = classes.map((one) => renderClass(one, { chains: [], entry: "-j RETURN" }, observing));
  const judges = rendered.map(({ entry }) => entry);
  const judge = dispatch(OUT.judgeChain, OUT, classes, judges);
  const trusted = renderTrusted(OUT, classes, judges);
  const trust = outboundTrust(plan, family, trusted.entry);
  const failsafes = failsafeRules(plan.failsafes.outbound, plan.trust, OUT, family);
  const chains = [
    { name: "PH-WD-OUT", rules: [...OWN, ...failsafes, ...trust, judge.entry] },
    ...(trust.length > 0 ? trusted.chains : []),
    ...judge.chains,
    ...rendered.flatMap((one) => one.chains),
  ];
  const hooks = [outputHook({ ...plan, outbound }, family, "PH-WD-OUT")];
  return { chains: [...chains, ...book.chains()], hooks, sets: book.sets() };
}

export function observes({ policies }: ObservedPlan): (direction: NodeDirection) => boolean {
  return ({ policy }) => policies.includes(policy);
}
