import { served } from "../../lab/operator-cluster.ts";
import { assigned } from "../../unit/plan/policies.ts";

/** What a node may be told, and who gets through to its UDP port then: a plain reading of what policies mean. */
export interface RandomState {
  readonly policies: readonly ReturnType<typeof assigned>[];
  passes(source: string): boolean;
}

interface Shape {
  readonly name: string;
  readonly priority: number;
  readonly inScope: boolean;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly defaultAction: "Drop" | "Reject" | "Allow";
}

/** Up to three policies. `random`: as Math.random. */
export function randomState(sources: readonly string[], random: () => number): RandomState {
  const some = (share: number) => sources.filter(() => random() < share);
  const shapes = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index): Shape => {
    const defaultAction = (["Drop", "Drop", "Reject", "Allow"] as const)[Math.floor(random() * 4)] ?? "Drop";
    const inScope = random() < 0.85;
    return { name: `policy-${index}`, priority: index, inScope, allow: some(0.4), deny: some(0.15), defaultAction };
  });
  return { policies: shapes.map(policyOf), passes: (source) => passes(shapes, source) };
}

function policyOf({ name, priority, inScope, allow, deny, defaultAction }: Shape): ReturnType<typeof assigned> {
  const entries = (kind: string, addresses: readonly string[]) =>
    addresses.length === 0
      ? undefined
      : [{ name: kind, from: addresses.map((address) => ({ ipBlock: { cidr: `${address}/32` } })) }];
  const inbound = {
    ports: [inScope ? "1024-65535" : "1024-2048"],
    protocols: ["UDP", "TCP"],
    allow: entries("allow", allow),
    deny: entries("deny", deny),
    defaultAction,
  };
  return assigned({ priority, firewall: { inbound } }, name);
}

/** Deny beats allow, one allow is enough, and where nobody allows the highest priority's default decides. */
function passes(all: readonly Shape[], source: string): boolean {
  const shapes = all.filter(({ inScope }) => inScope);
  if (shapes.some(({ deny }) => deny.includes(source))) return false;
  if (shapes.some(({ allow }) => allow.includes(source))) return true;
  return (shapes.at(-1)?.defaultAction ?? "Allow") === "Allow";
}

/** The port to which packets are sent. */
export const judgedPort = served.hostUdpPort;

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
