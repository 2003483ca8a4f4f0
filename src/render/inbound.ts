import type { Family, Failsafe, NodeEntry, NodeInbound, NodePlan } from "../plan/types.ts";
import { classChain, type InterfaceClass, interfaceClasses } from "./interface-class.ts";
import { renderCounts, renderLimits } from "./limits.ts";
import { comment, peerMatch, portMatches, rule, TAG } from "./rule.ts";
import { trustedScopes, trustRules, trustsEverywhere } from "./trust.ts";
import type { Chain, Hook } from "./types.ts";

const SYN = "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN";

/**
 * Hooks at the head of mangle: after conntrack and before kube-proxy's DNAT, so one rule covers host ports and NodePorts.
 * A SYN is judged whatever conntrack thinks of its tuple (a stale CLOSE_WAIT tuple says ESTABLISHED, NOTRACK says
 * UNTRACKED), unless RELATED (an FTP data connection). Other protocols by the first packet of a flow.
 */
const PREROUTING: Hook = {
  chain: "PREROUTING",
  rules: [
    `${SYN} -m conntrack ! --ctstate RELATED --ctdir ORIGINAL -m comment --comment ${TAG} -j PH-PRE`,
    `-p udp -m conntrack ! --ctstate RELATED,ESTABLISHED -m comment --comment ${TAG} -j PH-PRE`,
  ],
};

/** A ClusterIP that leads to a hostNetwork endpoint: judged once more, on the port behind the DNAT. */
const INPUT: Hook = {
  chain: "INPUT",
  rules: [`-m conntrack --ctstate DNAT -m comment --comment ${TAG} -j PH-INPUT`],
};

/** What opens a connection to this node: its own addresses and the service VIPs that it answers. */
function preChain(plan: NodePlan, family: Family): Chain {
  const vips = peerMatch(plan.vips, family, "dst");
  const groupTypes = family === 4 ? ["BROADCAST", "MULTICAST", "ANYCAST"] : ["MULTICAST", "ANYCAST"];
  return {
    name: "PH-PRE",
    rules: [
      "-i lo -j RETURN",
      "-m addrtype --dst-type LOCAL -g PH-IN",
      ...groupTypes.map((type) => `-p udp -m addrtype --dst-type ${type} -g PH-IN`),
      ...(vips === undefined ? [] : [rule(vips, "-g PH-IN")]),
    ],
  };
}

function inputChain(cidrs: readonly string[]): Chain {
  return {
    name: "PH-INPUT",
    rules: [
      "-i lo -j RETURN",
      "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j RETURN",
      "-m conntrack --ctdir REPLY -j RETURN",
      "-m conntrack --ctstate RELATED -j RETURN",
      "-p udp -m conntrack --ctstate ESTABLISHED -j RETURN",
      ...cidrs.map((cidr) => `-m conntrack --ctorigdst ${cidr} -g PH-IN`),
    ],
  };
}

function failsafeRules(plan: NodePlan, family: Family): string[] {
  return plan.failsafes.flatMap((failsafe: Failsafe) => {
    const from = failsafe.from === "Everybody" ? "" : peerMatch(plan.trust.nodes, family, "src");
    if (from === undefined) return [];
    return portMatches([failsafe.protocol], failsafe.ports).map((match) => rule(match, from, "-j RETURN"));
  });
}

function entryRules(policy: string, entries: readonly NodeEntry[], family: Family, target: string): string[] {
  return entries.flatMap((entry) => {
    const from = peerMatch(entry.peers, family, "src");
    if (from === undefined) return [];
    return portMatches(entry.protocols, entry.ports).map((match) =>
      rule(match, from, comment(policy, entry.name, entry.hash), target),
    );
  });
}

/** Every deny before every allow before every default: deny beats allow across policies, allows are a union. */
function judgement(inbound: readonly NodeInbound[], family: Family, passed: string): string[] {
  return [
    ...inbound.flatMap(({ policy, deny }) => entryRules(policy, deny, family, "-j DROP")),
    ...inbound.flatMap(({ policy, allow }) => entryRules(policy, allow, family, passed)),
    ...inbound.flatMap(({ policy, hash, protocols, ports }) =>
      portMatches(protocols, ports).map((match) => rule(match, comment(policy, "default", hash), "-j DROP")),
    ),
  ];
}

/** The judgement of one interface class and the limits behind it. `entry` is the rule that leads there. */
function renderClass(plan: NodePlan, one: InterfaceClass, family: Family): { chains: Chain[]; entry: string } {
  const limits = renderLimits(plan, one, family);
  const rules = judgement(one.inbound, family, limits.entry);
  if (rules.length === 0) return limits;
  const name = classChain("J", one);
  return { chains: [{ name, rules: [...rules, limits.entry] }, ...limits.chains], entry: `-g ${name}` };
}

/** Sends a packet to its class: the first pattern that matches is the most specific one. */
function dispatch(
  name: string,
  classes: readonly InterfaceClass[],
  entries: readonly string[],
): { chains: Chain[]; entry: string } {
  const rules = classes.map(({ pattern }, index) =>
    rule(pattern === undefined ? "" : `-i ${pattern}`, entries[index] ?? ""),
  );
  const [only] = rules;
  if (only !== undefined && rules.length === 1) return { chains: [], entry: only };
  return { chains: [{ name, rules }], entry: `-g ${name}` };
}

/** Where a trusted source goes: past everything, or, where a policy does not trust the cluster, past the scopes that do. */
function renderTrusted(
  plan: NodePlan,
  classes: readonly InterfaceClass[],
  judges: readonly string[],
): { chains: Chain[]; entry: string } {
  if (trustsEverywhere(plan)) return { chains: [], entry: "-j RETURN" };
  const scopes = classes.map((one, index) => ({
    name: classChain("T", one),
    rules: [...trustedScopes(one), judges[index] ?? "-j RETURN"],
  }));
  const dispatched = dispatch(
    "PH-TRUST",
    classes,
    scopes.map(({ name }) => `-g ${name}`),
  );
  return { chains: [...dispatched.chains, ...scopes], entry: dispatched.entry };
}

/**
 * The inbound chains of one family, and the hooks that lead there; nothing judged and nothing limited: nothing.
 *
 * A packet walks them by goto. So a RETURN anywhere leaves all of our chains at once, which is what "pass" means: ACCEPT
 * would cut other firewalls off, and a mark would have to be shared with them. Only the chains that count connections are
 * jumped to, and they return nothing.
 */
export function renderInbound(plan: NodePlan, family: Family): { chains: Chain[]; hooks: Hook[] } {
  if (plan.inbound.length === 0 && plan.rateLimits.length === 0) return { chains: [], hooks: [] };
  const classes = interfaceClasses(plan);
  const rendered = classes.map((one) => renderClass(plan, one, family));
  const judges = rendered.map(({ entry }) => entry);
  const judge = dispatch("PH-JUDGE", classes, judges);
  const trusted = renderTrusted(plan, classes, judges);
  const trust = trustRules(plan, family, "PH-PODS", trusted.entry, judge.entry);
  const chains = [
    preChain(plan, family),
    { name: "PH-IN", rules: [...failsafeRules(plan, family), ...trust.rules, judge.entry] },
    ...trust.chains,
    ...(trust.rules.length > 0 ? trusted.chains : []),
    ...judge.chains,
    ...rendered.flatMap((one) => one.chains),
    ...renderCounts(classes, family),
  ];
  const vipCidrs = plan.vipCidrs.filter((cidr) => cidr.includes(":") === (family === 6));
  if (vipCidrs.length === 0) return { chains, hooks: [PREROUTING] };
  return { chains: [inputChain(vipCidrs), ...chains], hooks: [PREROUTING, INPUT] };
}
