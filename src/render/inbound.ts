import { cuts } from "../plan/cut-sets.ts";
import type { Family, NodePlan } from "../plan/types.ts";
import { cutAnswers, cutHooks, cutMatch } from "./cut.ts";
import { type Dispatch, dispatch, INBOUND } from "./dispatch.ts";
import { classChain, type InterfaceClass, interfaceClasses } from "./interface-class.ts";
import { judgedInbound } from "./judged.ts";
import { failsafeRules, judgement } from "./judgement.ts";
import { renderCounts, renderLimits } from "./limits.ts";
import { clearMark, marked, REJECT_CHAIN_NAME, rejectChain } from "./reject.ts";
import { INIT, NOT_INIT, peerMatch, rule, SYN, TAG } from "./rule.ts";
import { renderTrusted, trustRules } from "./trust.ts";
import type { Chain, Hook } from "./types.ts";

/**
 * Hooks at the head of mangle: after conntrack and before kube-proxy's DNAT, so one rule covers host ports and NodePorts.
 * A SYN is judged whatever conntrack thinks of its tuple (a stale CLOSE_WAIT tuple says ESTABLISHED, NOTRACK says
 * UNTRACKED), unless RELATED (an FTP data connection); an SCTP INIT likewise. UDP by the first packet of a flow.
 */
const preroutingHook = (plan: NodePlan, family: Family): Hook => ({
  chain: "PREROUTING",
  judges: judgedInbound(plan, family),
  rules: [
    // The nft table rejects whatever is marked then.
    ...(rejectsCut(plan) ? [`${marked(plan)} -m comment --comment ${TAG} ${clearMark(plan)}`] : []),
    `${SYN} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j PH-PRE`,
    `-p udp -m conntrack ! --ctstate RELATED,ESTABLISHED -m comment --comment ${TAG} -j PH-PRE`,
    ...(judgesSctp(plan)
      ? [`${INIT} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j PH-PRE`]
      : []),
    ...cutHooks(plan, "Inbound", family, "PH-PRE"),
    ...cutAnswers(plan, "Outbound", family),
  ],
});

/** A ClusterIP that leads to a hostNetwork endpoint: judged once more, on the port behind the DNAT. */
const inputHook = (plan: NodePlan, family: Family): Hook => ({
  chain: "INPUT",
  judges: judgedInbound(plan, family),
  rules: [`-m conntrack --ctstate DNAT -m comment --comment ${TAG} -j PH-INPUT`],
});

/** Whether anything is rejected: a scope that excludes all that it includes judges nothing. */
export function rejectsInbound({ inbound, rateLimits }: NodePlan): boolean {
  const judging = interfaceClasses(inbound, rateLimits).flatMap(({ scopes }) => scopes);
  return judging.some(({ defaultAction }) => defaultAction === "Reject");
}

/** What was open before is rejected too, not only what opens. */
export function rejectsCut(plan: NodePlan): boolean {
  return rejectsInbound(plan) && cuts(plan, "Inbound");
}

function judgesSctp({ inbound, rateLimits }: NodePlan): boolean {
  return [...inbound, ...rateLimits].some(({ protocols }) => protocols.includes("SCTP"));
}

/** What opens a connection to this node: its own addresses and the service VIPs that it answers. */
function preChain(plan: NodePlan, family: Family): Chain {
  const vips = peerMatch(plan.vips, family, "dst");
  const groupTypes = family === 4 ? ["BROADCAST", "MULTICAST", "ANYCAST"] : ["MULTICAST", "ANYCAST"];
  return {
    name: "PH-PRE",
    rules: [
      ...(rejectsInbound(plan) ? [clearMark(plan)] : []),
      "-i lo -j RETURN",
      "-m addrtype --dst-type LOCAL -g PH-IN",
      ...groupTypes.map((type) => `-p udp -m addrtype --dst-type ${type} -g PH-IN`),
      ...(vips === undefined ? [] : [rule(vips, "-g PH-IN")]),
    ],
  };
}

function inputChain(plan: NodePlan, cidrs: readonly string[], family: Family): Chain {
  const notCut = cutMatch(plan, "Inbound", family, true);
  return {
    name: "PH-INPUT",
    rules: [
      "-i lo -j RETURN",
      rule("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", notCut, "-j RETURN"),
      ...(judgesSctp(plan) ? [rule(NOT_INIT, notCut, "-j RETURN")] : []),
      "-m conntrack --ctdir REPLY -j RETURN",
      "-m conntrack --ctstate RELATED -j RETURN",
      rule("-p udp -m conntrack --ctstate ESTABLISHED", notCut, "-j RETURN"),
      ...(rejectsInbound(plan) ? [clearMark(plan)] : []),
      ...cidrs.map((cidr) => `-m conntrack --ctorigdst ${cidr} -g PH-IN`),
    ],
  };
}

/** The judgement of one interface class and the limits behind it. `entry` is the rule that leads there. */
function renderClass(plan: NodePlan, one: InterfaceClass, family: Family): Dispatch {
  const limits = renderLimits(plan, one, family);
  const rules = judgement(one.scopes, INBOUND, family, {
    passed: limits.entry,
    reject: () => `-g ${REJECT_CHAIN_NAME}`,
  });
  if (rules.length === 0) return limits;
  const name = classChain(INBOUND.judgeKind, one);
  return { chains: [{ name, rules: [...rules, limits.entry] }, ...limits.chains], entry: `-g ${name}` };
}

/**
 * The inbound chains of one family, and the hooks that lead there; nothing judged and nothing limited: nothing.
 *
 * A packet walks them by goto. So a RETURN anywhere leaves all of our chains at once, which is what "pass" means: ACCEPT
 * would cut other firewalls off, and a mark would have to be shared with them. Only the chains that count connections are
 * jumped to, and they return nothing.
 */
export function renderInbound(plan: NodePlan, family: Family): { chains: Chain[]; hooks: Hook[] } {
  if (plan.inbound.length === 0 && plan.rateLimits.length === 0) {
    const answers = cutAnswers(plan, "Outbound", family);
    return {
      chains: [],
      hooks: answers.length === 0 ? [] : [{ chain: "PREROUTING", rules: answers, judges: judgedInbound(plan, family) }],
    };
  }
  const classes = interfaceClasses(plan.inbound, plan.rateLimits);
  const rendered = classes.map((one) => renderClass(plan, one, family));
  const judges = rendered.map(({ entry }) => entry);
  const judge = dispatch(INBOUND.judgeChain, INBOUND, classes, judges);
  const trusted = renderTrusted(INBOUND, classes, judges);
  const trust = trustRules(plan, family, "PH-PODS", trusted.entry, judge.entry);
  const failsafes = failsafeRules(plan.failsafes.inbound, plan.trust, INBOUND, family);
  const chains = [
    preChain(plan, family),
    { name: "PH-IN", rules: [...failsafes, ...trust.rules, judge.entry] },
    ...trust.chains,
    ...(trust.rules.length > 0 ? trusted.chains : []),
    ...judge.chains,
    ...rendered.flatMap((one) => one.chains),
    ...renderCounts(classes, family),
    ...(rejectsInbound(plan) ? [rejectChain(plan, judgesSctp(plan))] : []),
  ];
  const prerouting = preroutingHook(plan, family);
  const vipCidrs = plan.vipCidrs.filter((cidr) => cidr.includes(":") === (family === 6));
  if (vipCidrs.length === 0) return { chains, hooks: [prerouting] };
  return { chains: [inputChain(plan, vipCidrs, family), ...chains], hooks: [prerouting, inputHook(plan, family)] };
}
