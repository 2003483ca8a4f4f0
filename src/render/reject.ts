import type { NodePlan } from "../plan/node-plan.ts";
import type { Chain } from "./types.ts";

export const REJECT_CHAIN_NAME = "PH-REJECT";

/** As iptables-save prints it. */
const hex = (bit: number) => `0x${bit.toString(16)}`;

/** Takes the bit from what comes in with it, so that only our own chains decide. */
export function clearMark({ markBit }: NodePlan): string {
  return `-j MARK --set-xmark 0x0/${hex(markBit)}`;
}

/**
 * Marks; the end of the chain leaves all of ours, as every chain was reached by goto. An INIT among other chunks is
 * malformed: it is dropped, as the nft table looks at the first chunk only.
 */
export function rejectChain({ markBit }: NodePlan, judgesSctp: boolean): Chain {
  const malformed = judgesSctp ? ["-p sctp -m sctp ! --chunk-types only INIT -j DROP"] : [];
  return { name: REJECT_CHAIN_NAME, rules: [...malformed, `-j MARK --set-xmark ${hex(markBit)}/${hex(markBit)}`] };
}

/** Behind our hooks: what will be rejected. Ahead of them: what came in with the bit, or so it would seem. */
export function marked({ markBit }: NodePlan): string {
  return `-m mark --mark ${hex(markBit)}/${hex(markBit)}`;
}

/**
 * The nft table that rejects what is marked, as `nft -s list table` prints it: right after mangle, before kube-proxy's
 * DNAT, where no ACCEPT of others can come between. REJECT of iptables works in INPUT and FORWARD only, behind all that.
 * It looks at what opens a connection and nothing else, so a bit that somebody else set cuts no traffic under way; where
 * such traffic is to be rejected (`alsoOpen`), the hook in mangle takes the bit from all that comes in with it.
 */
export function rejectTable(markBit: number, alsoOpen: boolean): string {
  const bit = `0x${markBit.toString(16).padStart(8, "0")}`;
  const marked = `meta mark & ${bit} == ${bit}`;
  const rules = (kind: string, udpStates: string) => [
    `${marked}${kind} ${alsoOpen ? "meta l4proto tcp" : "tcp flags syn / fin,syn,rst,ack"} reject with tcp reset`,
    `${marked}${kind} meta l4proto udp${alsoOpen ? "" : ` ct state ${udpStates}`} reject`,
    `${marked}${kind} meta l4proto sctp${alsoOpen ? "" : " @th,96,8 0x1"} reject`,
  ];
  const chain = (name: string, lines: readonly string[]) =>
    [
      `	chain ${name} {`,
      ...[`type filter hook ${name} priority mangle + 1; policy accept;`, ...lines].map((line) => `		${line}`),
      "	}",
    ].join("\n");
  const chains = [
    chain("prerouting", rules("", "invalid,new,untracked")),
    chain("input", rules(" ct status dnat", "new")),
  ];
  return `table inet porthardening {\n${chains.join("\n\n")}\n}`;
}
