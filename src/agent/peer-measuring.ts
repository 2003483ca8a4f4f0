import type { NodeStateStatus } from "../api/node-state.ts";
import type { Check } from "../audit/check.ts";
import { connectPort } from "../kernel/connect-port.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { GroupAddresses, NodePlan } from "../plan/types.ts";
import type { Enforcer } from "./enforcer.ts";
import { exposure, type Policies } from "./exposure.ts";
import { exposureRelay } from "./exposure-relay.ts";
import type { NodeStateRecord } from "./inputs.ts";
import { peerGuard } from "./peer-guard.ts";
import { peerProber } from "./peer-prober.ts";

/** What nodes measure of each other: this one of others, and others of this one. */
export interface PeerMeasuring {
  /** What peers reach of this node. */
  readonly exposure: Check;
  /** What spec says now, and what the policies come to. Cheap. */
  follow(
    spec: Pick<NodeStateRecord, "probes" | "probeAnswers">,
    enforcer: Pick<Enforcer, "target" | "held" | "failure">,
  ): void;
  status(): Pick<NodeStateStatus, "probeRequest" | "probeResults">;
  /** Measures for others until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PeerMeasuringOptions {
  readonly kernel: Pick<Kernel, "network">;
  readonly groups: () => readonly GroupAddresses[];
  readonly now: () => number;
  /** Random, of a-z, 0-9 and '-'. */
  readonly newId: () => string;
  /** `status` says something else. */
  readonly onChange: () => void;
}

/** A second SYN goes out after one second. */
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;

export function peerMeasuring({ kernel, groups, now, newId, onChange }: PeerMeasuringOptions): PeerMeasuring {
  let held: NodePlan | undefined;
  const prober = peerProber({
    connect: (connection, signal) =>
      connectPort({ ...connection, signal, timeoutMilliseconds: CONNECT_TIMEOUT_MILLISECONDS }),
    guard: peerGuard({ kernel, groups, plan: () => held }),
    onResult: onChange,
  });
  const relay = exposureRelay({ now, newId, onChange });
  const exposed = exposure({ relay, kernel, newSeed: newId });
  return {
    exposure: exposed.check,
    follow({ probes, probeAnswers }, enforcer) {
      held = enforcer.held?.plan;
      exposed.aim(policiesOf(enforcer));
      prober.serve(probes);
      relay.told(probeAnswers);
    },
    status() {
      const { request } = relay;
      const results = prober.results();
      return {
        ...(request === undefined ? {} : { probeRequest: request }),
        ...(results.length === 0 ? {} : { probeResults: results }),
      };
    },
    run: prober.run,
  };
}

/** What the policies say, in force or not: where they fail, that is what a measurement is to show. */
function policiesOf({ target, held, failure }: Parameters<PeerMeasuring["follow"]>[1]): Policies {
  const plan = target?.kind === "Enforce" ? target.enforcement.plan : held?.plan;
  return { plan, settled: failure !== undefined || (plan !== undefined && held?.plan === plan) };
}
