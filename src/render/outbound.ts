import type { Family, NodePlan } from "../plan/node-plan.ts";
import type { Protocol } from "../plan/types.ts";
import { cutAnswers, cutHooks } from "./cut.ts";
import { type Dispatch, dispatch, OUTBOUND } from "./dispatch.ts";
import { type DropBook, dropBook } from "./drop-log.ts";
import { classChain, type InterfaceClass, interfaceClasses } from "./interface-class.ts";
import { judgedOutbound } from "./judged.ts";
import { failsafeRules, judgement } from "./judgement.ts";
import { INIT, peerMatch, rule, SYN, TAG } from "./rule.ts";
import { renderTrusted } from "./trust.ts";
import type { Hook, Judging } from "./types.ts";

/**
 * Hooks at the head of filter OUTPUT: behind the DNAT of service addresses, so destinations and ports are the real ones,
 * but `-o` is that of the route before it. TCP is judged by the SYN, whatever conntrack thinks of its tuple, unless
 * RELATED (an FTP data connection); SCTP by the INIT likewise; UDP by the first packet of a flow.
 *
 * UDP that is not tracked passes: the replies of a server that was taken out of conntrack cannot be told from flows of
 * its own. Only who may write rules on the node can take something out.
 */
export const outputHook = (plan: NodePlan, family: Family, judge: string, more: readonly string[] = []): Hook => ({
  chain: "OUTPUT",
  judges: judgedOutbound(plan, family),
  rules: [
    `${SYN} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j ${judge}`,
    `-p udp -m conntrack ! --ctstate RELATED,ESTABLISHED,UNTRACKED -m comment --comment ${TAG} -j ${judge}`,
    ...(plan.outbound.some(({ protocols }) => protocols.includes("SCTP"))
      ? [`${INIT} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j ${judge}`]
      : []),
    ...more,
  ],
});

/** What passes unjudged: loopback, the node's own addresses, and what is not from one of them (ipvs forwards through OUTPUT). */
export const OWN = [
  "-o lo -j RETURN",
  "-m addrtype --dst-type LOCAL -j RETURN",
  "-m addrtype ! --src-type LOCAL -j RETURN",
];

/** Trusted cluster destinations go to `trusted`; by address alone, as a process may choose the interface. */
export function outboundTrust({ trust }: NodePlan, family: Family, trusted: string): string[] {
  return [trust.nodes, trust.pods, trust.services].flatMap((peers) => {
    const match = peerMatch(peers, family, OUTBOUND.peer);
    return match === undefined ? [] : [rule(match, trusted)];
  });
}

/** Locally, where REJECT works; other protocols than TCP hear that the port is unreachable. */
const rejectTarget = (family: Family) => (protocol: Protocol) => {
  const unreachable = family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  return `-j REJECT --reject-with ${protocol === "TCP" ? "tcp-reset" : unreachable}`;
};

function renderClass(one: InterfaceClass, family: Family, drops: DropBook): Dispatch {
  const rules = judgement(one.scopes, OUTBOUND, family, { passed: "-j RETURN", drops, reject: rejectTarget(family) });
  if (rules.length === 0) return { chains: [], entry: "-j RETURN" };
  const name = classChain(OUTBOUND.judgeKind, one);
  return { chains: [{ name, rules }], entry: `-g ${name}` };
}

/** The outbound chains of one family and the hook that leads there; nothing judged: nothing. By goto alone, as inbound. */
export function renderOutbound(plan: NodePlan, family: Family): Judging {
  if (plan.outbound.length === 0) {
    const answers = cutAnswers(plan, "Inbound", family);
    return {
      chains: [],
      hooks: answers.length === 0 ? [] : [{ chain: "OUTPUT", rules: answers, judges: judgedOutbound(plan, family) }],
      counted: [],
    };
  }
  const classes = interfaceClasses(plan.outbound, []);
  const drops = dropBook(plan, OUTBOUND, family);
  const rendered = classes.map((one) => renderClass(one, family, drops));
  const judges = rendered.map(({ entry }) => entry);
  const judge = dispatch(OUTBOUND.judgeChain, OUTBOUND, classes, judges);
  const trusted = renderTrusted(OUTBOUND, classes, judges);
  const trust = outboundTrust(plan, family, trusted.entry);
  const failsafes = failsafeRules(plan.failsafes.outbound, plan.trust, OUTBOUND, family);
  const chains = [
    { name: "PH-OUT", rules: [...OWN, ...failsafes, ...trust, judge.entry] },
    ...(trust.length > 0 ? trusted.chains : []),
    ...judge.chains,
    ...rendered.flatMap((one) => one.chains),
    ...drops.chains(),
  ];
  const cut = [...cutHooks(plan, "Outbound", family, "PH-OUT"), ...cutAnswers(plan, "Inbound", family)];
  return { chains, hooks: [outputHook(plan, family, "PH-OUT", cut)], counted: drops.sets() };
}
