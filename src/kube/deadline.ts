/** Aborts when its time is over or with `outer`, whichever is first; `using` frees the timer and the listener. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** What to say where its own time was over, and not `outer`, that aborted it. */
  readonly lapse: string | undefined;
  /** Gives it this long from now on. */
  restart(milliseconds: number): void;
}

/** AbortSignal.any over a signal that lives as long as the process would gather listeners; this one is freed. */
export function deadline(milliseconds: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  let lapse: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort, { once: true });

  function restart(time: number) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      lapse = `no answer within ${time} ms`;
      controller.abort(new Error(lapse));
    }, time);
  }
  restart(milliseconds);

  return {
    signal: controller.signal,
    get lapse() {
      return lapse;
    },
    restart,
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}
