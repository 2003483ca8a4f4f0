import { cuts } from "../plan/cut-sets.ts";
import type { Family, NodePlan } from "../plan/node-plan.ts";
import { cutAnswers, cutHooks, cutMatch } from "./cut.ts";
import { type Dispatch, dispatch, INBOUND } from "./dispatch.ts";
import { type DropBook, dropBook } from "./drop-log.ts";
import { classChain, type InterfaceClass, interfaceClasses } from "./interface-class.ts";
import { judgedInbound } from "./judged.ts";
import { failsafeRules, judgement } from "./judgement.ts";
import { renderCounts, renderLimits } from "./limits.ts";
import { clearMark, marked, REJECT_CHAIN_NAME, rejectChain } from "./reject.ts";
import { INIT, NOT_INIT, peerMatch, rule, SYN, TAG } from "./rule.ts";
import { renderTrusted, trustRules } from "./trust.ts";
import type { Chain, Hook, JudgedTraffic, Judging } from "./types.ts";

/**
 * Hooks at the head of mangle: after conntrack and before kube-proxy's DNAT, so one rule covers host ports and NodePorts.
 * A SYN is judged whatever conntrack thinks of its tuple (a stale CLOSE_WAIT tuple says ESTABLISHED, NOTRACK says
 * UNTRACKED), unless RELATED (an FTP data connection); an SCTP INIT likewise. UDP by the first packet of a flow.
 */
const preroutingHook = ({ pre, sctp }: Gate, judges: JudgedTraffic): Hook => ({
  chain: "PREROUTING",
  judges,
  rules: [
    `${SYN} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j ${pre}`,
    `-p udp -m conntrack ! --ctstate RELATED,ESTABLISHED -m comment --comment ${TAG} -j ${pre}`,
    ...(sctp
      ? [`${INIT} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j ${pre}`]
      : []),
  ],
});

/** A ClusterIP that leads to a hostNetwork endpoint: judged once more, on the port behind the DNAT. */
const inputHook = ({ input }: Gate, judges: JudgedTraffic): Hook => ({
  chain: "INPUT",
  judges,
  rules: [`-m conntrack --ctstate DNAT -m comment --comment ${TAG} -j ${input}`],
});

/** How packets that come in reach the chain that judges them: what tells a judgement from an observer's. */
export interface Gate {
  /** Chains that the hooks of PREROUTING and INPUT lead to, and the one that these lead to. */
  readonly pre: string;
  readonly input: string;
  readonly judge: string;
  readonly sctp: boolean;
  /** Rules for what opens a connection, before it is told whether to this node. */
  readonly head: readonly string[];
  /** Matches what is not cut though it was open before; "" where nothing is. */
  readonly notCut: string;
}

/** Whether anything is rejected: a scope that excludes all that it includes judges nothing. */
export function rejectsInbound({ inbound, rateLimits }: NodePlan): boolean {
  const judging = interfaceClasses(inbound, rateLimits).flatMap(({ scopes }) => scopes);
  return judging.some(({ defaultAction }) => defaultAction === "Reject");
}

/** What was open before is rejected too, not only what opens. */
export function rejectsCut(plan: NodePlan): boolean {
  return rejectsInbound(plan) && cuts(plan, "Inbound");
}

export function judgesSctp({ inbound, rateLimits }: Pick<NodePlan, "inbound" | "rateLimits">): boolean {
  return [...inbound, ...rateLimits].some(({ protocols }) => protocols.includes("SCTP"));
}

/** What opens a connection to this node: its own addresses and the service VIPs that it answers. */
function preChain(plan: NodePlan, { pre, judge, head }: Gate, family: Family): Chain {
  const vips = peerMatch(plan.vips, family, "dst");
  const groupTypes = family === 4 ? ["BROADCAST", "MULTICAST", "ANYCAST"] : ["MULTICAST", "ANYCAST"];
  return {
    name: pre,
    rules: [
      ...head,
      "-i lo -j RETURN",
      `-m addrtype --dst-type LOCAL -g ${judge}`,
      ...groupTypes.map((type) => `-p udp -m addrtype --dst-type ${type} -g ${judge}`),
      ...(vips === undefined ? [] : [rule(vips, `-g ${judge}`)]),
    ],
  };
}

function inputChain({ input, judge, sctp, head, notCut }: Gate, cidrs: readonly string[]): Chain {
  return {
    name: input,
    rules: [
      "-i lo -j RETURN",
      rule("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", notCut, "-j RETURN"),
      ...(sctp ? [rule(NOT_INIT, notCut, "-j RETURN")] : []),
      "-m conntrack --ctdir REPLY -j RETURN",
      "-m conntrack --ctstate RELATED -j RETURN",
      rule("-p udp -m conntrack --ctstate ESTABLISHED", notCut, "-j RETURN"),
      ...head,
      ...cidrs.map((cidr) => `-m conntrack --ctorigdst ${cidr} -g ${judge}`),
    ],
  };
}

/** The hooks, and the chains between them and the chain that judges. */
export function renderGate(plan: NodePlan, gate: Gate, family: Family): { chains: Chain[]; hooks: Hook[] } {
  const judges = judgedInbound(plan, family);
  const pre = { chain: preChain(plan, gate, family), hook: preroutingHook(gate, judges) };
  const vipCidrs = plan.vipCidrs.filter((cidr) => cidr.includes(":") === (family === 6));
  if (vipCidrs.length === 0) return { chains: [pre.chain], hooks: [pre.hook] };
  return { chains: [inputChain(gate, vipCidrs), pre.chain], hooks: [pre.hook, inputHook(gate, judges)] };
}

function gateOf(plan: NodePlan, family: Family): Gate {
  const head = rejectsInbound(plan) ? [clearMark(plan)] : [];
  const notCut = cutMatch(plan, "Inbound", family, true);
  return { pre: "PH-PRE", input: "PH-INPUT", judge: "PH-IN", sctp: judgesSctp(plan), head, notCut };
}

/** What was open before comes to the same judgement where a policy cuts it. */
function withCut(hook: Hook, plan: NodePlan, family: Family): Hook {
  if (hook.chain !== "PREROUTING") return hook;
  // The nft table rejects whatever is marked then.
  const clear = rejectsCut(plan) ? [`${marked(plan)} -m comment --comment ${TAG} ${clearMark(plan)}`] : [];
  const cut = [...cutHooks(plan, "Inbound", family, "PH-PRE"), ...cutAnswers(plan, "Outbound", family)];
  return { ...hook, rules: [...clear, ...hook.rules, ...cut] };
}

/** The judgement of one interface class and the limits behind it. `entry` is the rule that leads there. */
function renderClass(plan: NodePlan, one: InterfaceClass, family: Family, drops: DropBook): Dispatch {
  const limits = renderLimits(plan, one, family, drops);
  const rules = judgement(one.scopes, INBOUND, family, {
    passed: limits.entry,
    drops,
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
export function renderInbound(plan: NodePlan, family: Family): Judging {
  if (plan.inbound.length === 0 && plan.rateLimits.length === 0) {
    const answers = cutAnswers(plan, "Outbound", family);
    return {
      chains: [],
      hooks: answers.length === 0 ? [] : [{ chain: "PREROUTING", rules: answers, judges: judgedInbound(plan, family) }],
      counted: [],
    };
  }
  const classes = interfaceClasses(plan.inbound, plan.rateLimits);
  const drops = dropBook(plan, INBOUND, family);
  const rendered = classes.map((one) => renderClass(plan, one, family, drops));
  const judges = rendered.map(({ entry }) => entry);
  const judge = dispatch(INBOUND.judgeChain, INBOUND, classes, judges);
  const trusted = renderTrusted(INBOUND, classes, judges);
  const trust = trustRules(plan, family, "PH-PODS", trusted.entry, judge.entry);
  const failsafes = failsafeRules(plan.failsafes.inbound, plan.trust, INBOUND, family);
  const gate = renderGate(plan, gateOf(plan, family), family);
  const chains = [
    ...gate.chains,
    { name: "PH-IN", rules: [...failsafes, ...trust.rules, judge.entry] },
    ...trust.chains,
    ...(trust.rules.length > 0 ? trusted.chains : []),
    ...judge.chains,
    ...rendered.flatMap((one) => one.chains),
    ...renderCounts(classes, family, drops),
    ...drops.chains(),
    ...(rejectsInbound(plan) ? [rejectChain(plan, judgesSctp(plan))] : []),
  ];
  return { chains, hooks: gate.hooks.map((hook) => withCut(hook, plan, family)), counted: drops.sets() };
}
