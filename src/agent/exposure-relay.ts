import type { ProbeAnswer, ProbedPath, ProbeRequest } from "../api/peer-probes.ts";

/** What came of a request. */
export type Measured =
  | { readonly kind: "Measured"; readonly peer: string; readonly paths: readonly ProbedPath[] }
  | { readonly kind: "NotMeasured"; readonly reason: string };

/** Has this node measured by a peer, by way of status and spec; see `api/peer-probes.ts`. */
export interface ExposureRelay {
  /** One at a time. Resolves in bounded time; throws when `signal` aborts. */
  measure(ports: readonly number[], signal: AbortSignal): Promise<Measured>;
  /** What status shall say: what is being measured. */
  readonly request: ProbeRequest | undefined;
  /** What spec says now. */
  told(answers: readonly ProbeAnswer[]): void;
}

export interface ExposureRelayOptions {
  readonly now: () => number;
  /** Unlike any that was given before, on any node. */
  readonly newId: () => string;
  /** `request` is another one. */
  readonly onChange: () => void;
  /** A peer may serve others first, or be hung, and then another is asked. */
  readonly patienceMilliseconds?: number;
  /** Where nobody can measure, somebody may in a moment: nodes start together. */
  readonly graceMilliseconds?: number;
}

export const PATIENCE_MILLISECONDS = 900_000;
const GRACE_MILLISECONDS = 5_000;

export function exposureRelay({
  now,
  newId,
  onChange,
  patienceMilliseconds = PATIENCE_MILLISECONDS,
  graceMilliseconds = GRACE_MILLISECONDS,
}: ExposureRelayOptions): ExposureRelay {
  let request: ProbeRequest | undefined;
  let hear: (answer: ProbeAnswer | undefined) => void = () => undefined;

  function answer(signal: AbortSignal): Promise<Measured> {
    return new Promise((resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const seconds = Math.round(patienceMilliseconds / 1_000);
      const late = `no peer answered within ${seconds} s: is the controller running?`;
      const patience = setTimeout(() => settle({ kind: "NotMeasured", reason: late }), patienceMilliseconds);
      const stop = () => {
        clearTimeout(patience);
        clearTimeout(grace);
        signal.removeEventListener("abort", abort);
        hear = () => undefined;
      };
      const settle = (measured: Measured) => {
        stop();
        resolve(measured);
      };
      const abort = () => {
        stop();
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      hear = (said) => {
        if (said?.paths !== undefined) {
          settle({ kind: "Measured", peer: said.peer ?? "a peer", paths: said.paths });
          return;
        }
        const reason = said?.problem;
        if (reason === undefined) {
          clearTimeout(grace);
          grace = undefined;
        } else {
          grace ??= setTimeout(() => settle({ kind: "NotMeasured", reason }), graceMilliseconds);
        }
      };
    });
  }

  return {
    async measure(ports, signal) {
      signal.throwIfAborted();
      request = { id: newId(), at: new Date(now()).toISOString(), ports: [...ports] };
      onChange();
      try {
        return await answer(signal);
      } finally {
        request = undefined;
        onChange();
      }
    },
    get request() {
      return request;
    },
    told(answers) {
      if (request === undefined) return;
      const { id } = request;
      hear(answers.find((one) => one.id === id));
    },
  };
}
