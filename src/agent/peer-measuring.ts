import type { NodeStateStatus } from "../api/node-state.ts";
import { PROBES_PER_PEER_MAX } from "../api/peer-probes.ts";
import type { Check } from "../audit/check.ts";
import { connectPort } from "../kernel/connect-port.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Failsafe, NodePlan } from "../plan/node-plan.ts";
import type { GroupAddresses, PortRange } from "../plan/types.ts";
import type { Enforcer } from "./enforcer.ts";
import { exposure, type Policies } from "./exposure.ts";
import { exposureRelay } from "./exposure-relay.ts";
import type { NodeStateRecord } from "./inputs.ts";
import { peerGuard } from "./peer-guard.ts";
import { peerProber } from "./peer-prober.ts";
import { type ReachIn, reachIn } from "./reach-in.ts";
import { reachInPorts } from "./reach-in-ports.ts";

/** What nodes measure of each other: this one of others, and others of this one. */
export interface PeerMeasuring {
  /** What peers reach of this node. */
  readonly exposure: Check;
  /** Whether peers reach this node behind a change. */
  readonly reachIn: ReachIn;
  /** What spec says now. Cheap, and to be called at once: a change waits for no pass of a peer. */
  told(spec: Pick<NodeStateRecord, "probes" | "probeAnswers">): void;
  /** What the policies come to now, and what passes before them. Cheap. */
  follow(enforcer: Followed, failsafes: readonly Failsafe[]): void;
  status(): MeasuringStatus;
  /** Measures for others until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

type Followed = Pick<Enforcer, "target" | "held" | "failure">;

/** Absent where there is nothing to say. */
export type MeasuringStatus = Pick<NodeStateStatus, (typeof MEASURING_FIELDS)[number]>;
export const MEASURING_FIELDS = ["probeRequest", "reachRequests", "probeResults"] as const;

export interface PeerMeasuringOptions {
  readonly kernel: Pick<Kernel, "network" | "listeningPorts">;
  /** Those of the install; the node's own come with `follow`. */
  readonly failsafes: readonly Failsafe[];
  readonly groups: () => readonly GroupAddresses[];
  readonly now: () => number;
  /** Random, of a-z, 0-9 and '-'. */
  readonly newId: () => string;
  /** `status` says something else. */
  readonly onChange: () => void;
}

/** A second SYN goes out after one second. */
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;

/** With a margin for the second SYN's answer: a change waits for this one. */
const REACH_TIMEOUT_MILLISECONDS = 1_500;

export function peerMeasuring(options: PeerMeasuringOptions): PeerMeasuring {
  const { kernel, groups, now, newId, onChange } = options;
  let held: NodePlan | undefined;
  let { failsafes } = options;
  let followed: Followed = { target: undefined, held: undefined, failure: undefined };
  const guard = peerGuard({ kernel, groups, plan: () => held });
  const auditing = peerProber({
    connect: (connection, signal) =>
      connectPort({ ...connection, signal, timeoutMilliseconds: CONNECT_TIMEOUT_MILLISECONDS }),
    guard,
    onResult: onChange,
  });
  const reach = reachIn({
    ports: async () =>
      reachInPorts({ failsafes, skipped: neverProbed(followed), listening: await kernel.listeningPorts() }),
    now,
    newId,
    onChange,
  });
  /** Nobody is blamed for what this node's own change cuts, whenever it began. */
  const unchanging = (): void => {
    if (reach.underWay) throw new Error("its own rules are changing at the moment");
  };
  const reaching = peerProber({
    connect: async (connection, signal) => {
      const answer = await connectPort({ ...connection, signal, timeoutMilliseconds: REACH_TIMEOUT_MILLISECONDS });
      unchanging();
      return answer;
    },
    guard: async (path, ports) => {
      unchanging();
      return guard(path, ports);
    },
    onResult: onChange,
    probesAtOnce: PROBES_PER_PEER_MAX,
  });
  const relay = exposureRelay({ now, newId, onChange });
  const exposed = exposure({ relay, kernel, newSeed: newId });
  return {
    exposure: exposed.check,
    reachIn: reach,
    told({ probes, probeAnswers }) {
      auditing.serve(probes.filter(({ purpose }) => purpose !== "Change"));
      reaching.serve(probes.filter(({ purpose }) => purpose === "Change"));
      relay.told(probeAnswers);
      reach.told(probeAnswers);
    },
    follow(enforcer, inbound) {
      held = enforcer.held?.plan;
      followed = enforcer;
      failsafes = inbound;
      exposed.aim(policiesOf(enforcer));
    },
    status() {
      const { request } = relay;
      const results = [...reaching.results(), ...auditing.results()];
      return {
        ...(request === undefined ? {} : { probeRequest: request }),
        ...(reach.requests.length === 0 ? {} : { reachRequests: [...reach.requests] }),
        ...(results.length === 0 ? {} : { probeResults: results }),
      };
    },
    async run(signal) {
      await Promise.all([auditing.run(signal), reaching.run(signal)]);
    },
  };
}

/** What the policies say, in force or not: where they fail, that is what a measurement is to show. */
function policiesOf({ target, held, failure }: Followed): Policies {
  const plan = target?.kind === "Enforce" ? target.enforcement.plan : held?.plan;
  return { plan, settled: failure !== undefined || (plan !== undefined && held?.plan === plan) };
}

/** `skipProbes` of the policies in force, and of those that are on their way. */
function neverProbed({ target, held }: Followed): PortRange[] {
  const coming = target?.kind === "Enforce" ? target.enforcement.policies : [];
  return [...(held?.policies ?? []), ...coming].flatMap(({ plan }) => plan.audit?.skipProbes ?? []);
}
