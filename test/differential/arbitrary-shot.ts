import fc from "fast-check";
import { DESTINATIONS, type Family, MANY, type ProtocolName, type SenderName, SOURCES, TARGETS } from "./places.ts";
import type { Shot } from "./shot.ts";

const SENDERS: readonly SenderName[] = ["outside", "side", "wan", "peer", "peerPod", "pod", "node"];
const PROTOCOLS: readonly ProtocolName[] = ["TCP", "UDP", "SCTP"];

/** Every shot that finds an answer where nothing is enforced. */
export const SHOTS: readonly Shot[] = SENDERS.flatMap((sender) =>
  ([4, 6] as const).flatMap((family: Family) =>
    SOURCES[sender][family].flatMap((source) =>
      PROTOCOLS.flatMap((protocol) => {
        const many = sender === "outside" && protocol === "UDP" ? [MANY] : [];
        const targets = sender === "node" ? DESTINATIONS : [...TARGETS, ...many];
        return targets.map((target): Shot => ({ sender, family, source, protocol, target }));
      }),
    ),
  ),
);

const SHOTS_BY = Map.groupBy(SHOTS, ({ sender, protocol }) => `${sender} ${protocol}`);

/** About as many leave the node as come in, and a quarter of them is SCTP. */
export const arbitraryShot: fc.Arbitrary<Shot> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<SenderName[]>("outside", "outside", "side", "side", "wan", "peer", "peerPod", "pod"),
      fc.constant<SenderName>("node"),
    ),
    fc.constantFrom<ProtocolName[]>("TCP", "TCP", "TCP", "UDP", "UDP", "UDP", "SCTP", "SCTP"),
  )
  .chain(([sender, protocol]) => fc.constantFrom(...(SHOTS_BY.get(`${sender} ${protocol}`) ?? [])));
