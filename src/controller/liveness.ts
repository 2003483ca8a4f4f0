/** When each agent was last heard of, by the controller's own clock. */
export interface Liveness {
  /** A Lease as it is now; `renewTime` undefined where it is gone or was never renewed. */
  observe(node: string, renewTime: string | undefined): void;
  /** Milliseconds since the epoch; undefined where nothing was ever heard. */
  heardAt(node: string): number | undefined;
}

/**
 * A Lease says when it was renewed by the NODE's clock, which may be wrong by more than the 180 s that matter. So a
 * change of renewTime counts as heard now, as in Kubernetes' own node lifecycle controller; only the first sight of a
 * Lease (after a start) is believed, as far as it does not lie in the future.
 */
export function liveness(now: () => number): Liveness {
  const heard = new Map<string, { readonly renewTime: string; readonly at: number }>();
  return {
    observe: (node, renewTime) => {
      const before = heard.get(node);
      if (before?.renewTime === renewTime) return;
      if (renewTime === undefined) heard.delete(node);
      else if (before !== undefined) heard.set(node, { renewTime, at: now() });
      else {
        const renewed = Date.parse(renewTime);
        if (!Number.isNaN(renewed)) heard.set(node, { renewTime, at: Math.min(renewed, now()) });
      }
    },
    heardAt: (node) => heard.get(node)?.at,
  };
}
