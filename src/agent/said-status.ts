import type { NodeStateStatus } from "../api/node-state.ts";
import { MEASURING_FIELDS, type MeasuringStatus } from "./peer-measuring.ts";

/** What this agent says of its node, also while its pass is busy with a change. */
export interface SaidStatus {
  publish(uid: string | undefined, status: NodeStateStatus): void;
  /** Says what was said last, with what peers are asked and told now. */
  again(): void;
}

export interface SaidStatusOptions {
  readonly publish: SaidStatus["publish"];
  /** What an agent before this one said, for as long as this one has said nothing. */
  readonly before: () => { readonly uid: string | undefined; readonly status: NodeStateStatus | undefined } | undefined;
  readonly measuring: () => MeasuringStatus;
}

export function saidStatus({ publish, before, measuring }: SaidStatusOptions): SaidStatus {
  let last: ReturnType<SaidStatusOptions["before"]>;
  return {
    publish(uid, status) {
      last = { uid, status };
      publish(uid, status);
    },
    again() {
      const { uid, status } = last ?? before() ?? {};
      if (status === undefined) return;
      const others = Object.entries(status).filter(([field]) => !MEASURING_FIELDS.some((one) => one === field));
      publish(uid, { ...Object.fromEntries(others), ...measuring() });
    },
  };
}
