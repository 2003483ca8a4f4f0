import { portBounds } from "../api/ports.ts";
import type { Check } from "../audit/check.ts";
import { checkExposure } from "../audit/exposure/check-exposure.ts";
import { EXPOSURE_CHECK } from "../audit/exposure/exposure-check.ts";
import { probePorts } from "../audit/exposure/probe-ports.ts";
import type { CheckResult } from "../audit/finding.ts";
import type { Listener } from "../audit/listeners/listener.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { sleep } from "../kube/sleep.ts";
import type { NodePlan } from "../plan/node-plan.ts";
import { exposureJudge } from "./exposure-judge.ts";
import { type ExposureRelay, PATIENCE_MILLISECONDS } from "./exposure-relay.ts";
import { wake } from "./wake.ts";

/** What the policies of this node come to. */
export interface Policies {
  /** undefined: not known yet. */
  readonly plan: NodePlan | undefined;
  /** It is in force, or cannot be: nothing changes in a moment. */
  readonly settled: boolean;
}

/** Measures by a peer what of this node can be reached, and compares that with what the policies say. */
export interface Exposure {
  readonly check: Check;
  /** What the policies come to now. */
  aim(policies: Policies): void;
}

export interface ExposureOptions {
  readonly relay: Pick<ExposureRelay, "measure">;
  readonly kernel: Pick<Kernel, "network">;
  /** Decides which of the closed ports are tried; another text each time. */
  readonly newSeed: () => string;
  /** Longer than priming takes. */
  readonly settleMilliseconds?: number;
}

const SETTLE_MILLISECONDS = 120_000;

export function exposure({
  relay,
  kernel,
  newSeed,
  settleMilliseconds = SETTLE_MILLISECONDS,
}: ExposureOptions): Exposure {
  const bell = wake();
  let policies: Policies = { plan: undefined, settled: false };

  /** Rules that come into force meanwhile would be blamed for what was before them. Where they fail, that shall be seen. */
  async function settle(signal: AbortSignal): Promise<NodePlan | undefined> {
    const over = new AbortController();
    const late = sleep(settleMilliseconds, AbortSignal.any([signal, over.signal])).then(() => over.abort());
    while (!policies.settled && !over.signal.aborted && !signal.aborted) {
      await bell.sleep(Number.POSITIVE_INFINITY, AbortSignal.any([signal, over.signal]));
    }
    over.abort();
    await late;
    signal.throwIfAborted();
    return policies.plan;
  }

  const run: Check["run"] = async (subject): Promise<CheckResult> => {
    const { protectedPorts, skipProbes } = subject.settings;
    const before = await settle(subject.signal);
    if (before === undefined) return { status: "NotChecked", reason: "the policies are not known yet" };
    const listened = (await subject.listeners()).all;
    const wanted = { protectedPorts: protectedPorts.map(portBounds), skipProbes: skipProbes.map(portBounds) };
    const ports = probePorts(listened, wanted, newSeed());
    if (ports.length === 0) return { status: "Checked", examined: 0, findings: [] };
    const measured = await relay.measure(ports, subject.signal);
    if (measured.kind === "NotMeasured") return { status: "NotChecked", reason: measured.reason };
    const network = await kernel.network();
    const listens = stillThere(listened, (await subject.listeners()).all);
    const plans = new Set([before, policies.plan ?? before]);
    const judges = [...plans].map((plan) => exposureJudge(plan, network));
    return checkExposure(measured, listens, judges);
  };

  return {
    check: {
      ...EXPOSURE_CHECK,
      patient: true,
      // Its own bounds come first, and say more.
      timeoutMilliseconds: settleMilliseconds + PATIENCE_MILLISECONDS + 30_000,
      run,
    },
    aim(next) {
      policies = next;
      bell.ring();
    },
  };
}

/** Whose socket was there before and after: it was there when the peer came. */
function stillThere(before: readonly Listener[], after: readonly Listener[]): Listener[] {
  const inodes = new Set(before.map(({ inode }) => inode));
  return after.filter(({ inode }) => inodes.has(inode));
}
