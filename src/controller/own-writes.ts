import type { NodeStateFacts } from "./node-state-facts.ts";

/** What a NodeState holds as far as roll-out is concerned. */
export type Handed = Pick<NodeStateFacts, "assigned" | "unawaited">;

/** What this controller wrote, or is writing, and its cache may not show yet: else a place would be given away twice. */
export interface OwnWrites {
  /** Before it is sent. */
  begin(node: string, handed: Handed): void;
  /** `written`: what came back; undefined: nothing was written. */
  end(node: string, written: { readonly uid: string; readonly generation: number } | undefined): void;
  /** The NodeState with this uid was deleted. */
  gone(node: string, uid: string): void;
  /** `cached`, or what is newer. */
  newest(node: string, cached: NodeStateFacts | undefined): Handed | undefined;
}

/** Caches lag behind by milliseconds. What still looks older after this was missed: it came and went. */
const LAG_MAX_MILLISECONDS = 10_000;

/**
 * @param now milliseconds since the epoch
 * @param onFailed a place is free again, and whose turn it is must be looked at anew
 */
export function ownWrites(now: () => number, onFailed: () => void): OwnWrites {
  const writes = new Map<
    string,
    {
      readonly handed: Handed;
      readonly written?: { readonly uid: string; readonly generation: number; readonly at: number };
    }
  >();
  return {
    begin: (node, handed) => void writes.set(node, { handed }),
    end(node, written) {
      const own = writes.get(node);
      if (written !== undefined && own !== undefined) {
        writes.set(node, { handed: own.handed, written: { ...written, at: now() } });
      } else if (writes.delete(node)) onFailed();
    },
    gone(node, uid) {
      if (writes.get(node)?.written?.uid === uid) writes.delete(node);
    },
    newest(node, cached) {
      const own = writes.get(node);
      if (own === undefined) return cached;
      const { written, handed } = own;
      if (written === undefined) return handed;
      const lags = written.uid !== cached?.uid || cached.generation < written.generation;
      if (lags && Math.abs(now() - written.at) < LAG_MAX_MILLISECONDS) return handed;
      writes.delete(node);
      return cached;
    },
  };
}
