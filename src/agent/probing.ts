import type { NodeProbe } from "../kernel/node-probes.ts";

/** What must go on working: what passed before a change must pass behind it. */
export interface Probing {
  /**
   * Names of those that pass now. One that was silent the last time is not waited for. `askPeers`: other nodes may be asked too,
   * which costs the cluster writes.
   */
  before(askPeers: boolean): Promise<readonly string[]>;
  /**
   * Those of them that do not pass, each tried again and again as long as there is time. Empty: all passed.
   * `milliseconds`: how long others may be waited for.
   */
  failing(names: readonly string[], milliseconds?: number): Promise<readonly string[]>;
}

export interface ProbingOptions {
  /** The probes of the moment. */
  readonly probes: () => Promise<readonly NodeProbe[]>;
  /** What passes does so within milliseconds; what does not has this time to. */
  readonly timeoutMilliseconds?: number;
  readonly attemptMilliseconds?: number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** A node that a change cuts off is to be back within five seconds, so this and the roll-back must fit into them. */
const TIMEOUT_MILLISECONDS = 2_000;
/** The second SYN goes out after one second: where the first was lost, there is another attempt. */
const ATTEMPT_MILLISECONDS = 1_000;
const PAUSE_MILLISECONDS = 200;
const MINIMUM_MILLISECONDS = 500;

export function probing({
  probes,
  sleep,
  timeoutMilliseconds = TIMEOUT_MILLISECONDS,
  attemptMilliseconds = ATTEMPT_MILLISECONDS,
}: ProbingOptions): Probing {
  /** Where nobody answered the last time, and what the latest attempt there said. */
  const silent = new Map<string, Promise<boolean>>();

  async function once(probe: NodeProbe): Promise<boolean> {
    const passes = probe.passes(attemptMilliseconds).catch(() => false);
    const earlier = silent.get(probe.name);
    if (earlier !== undefined) silent.set(probe.name, passes);
    const passed = earlier === undefined ? await passes : await Promise.race([passes, earlier]);
    if (passed) silent.delete(probe.name);
    else if (earlier === undefined) silent.set(probe.name, passes);
    return passed;
  }

  async function persistently(probe: NodeProbe): Promise<boolean> {
    const until = performance.now() + timeoutMilliseconds;
    // Never by one attempt alone, however slow this process is.
    for (let attempts = 1; ; attempts += 1) {
      const left = Math.max(until - performance.now(), MINIMUM_MILLISECONDS);
      if (await probe.passes(Math.min(left, attemptMilliseconds)).catch(() => false)) return true;
      if (performance.now() >= until && attempts >= 2) return false;
      await sleep(PAUSE_MILLISECONDS);
    }
  }

  return {
    async before() {
      const all = await probes();
      const passed = await Promise.all(all.map(once));
      return all.filter((_, index) => passed[index]).map(({ name }) => name);
    },
    async failing(names) {
      if (names.length === 0) return [];
      const all = await probes();
      const passed = await Promise.all(
        names.map((name) => {
          const probe = all.find((one) => one.name === name);
          // The way is not there any more (another gateway, another resolver): nothing to hold it against.
          return probe === undefined ? true : persistently(probe);
        }),
      );
      return names.filter((_, index) => !passed[index]);
    },
  };
}
