import type { NodeStateStatus } from "../api/node-state.ts";
import {
  type PeerProbe,
  type ProbeAnswer,
  type ProbePurpose,
  type ProbeRequest,
  type ProbeResult,
  probeAnswersSchema,
  probesSchema,
} from "../api/peer-probes.ts";
import { fieldAt } from "./wire-fields.ts";

/** What a NodeState says of measurements by peers: what the node asks and answers, and what it was told. */
export interface ProbingFacts {
  /** For an audit. */
  readonly request: ProbeRequest | undefined;
  /** While a change waits to be confirmed. */
  readonly reachRequests: readonly ProbeRequest[];
  readonly results: readonly ProbeResult[];
  readonly probes: readonly PeerProbe[];
  readonly answers: readonly ProbeAnswer[];
}

/** One object for the many NodeStates that have nothing to say. */
export const NO_PROBING: ProbingFacts = {
  request: undefined,
  reachRequests: [],
  results: [],
  probes: [],
  answers: [],
};

/** What cannot be read counts as absent, and is written anew where it is needed. */
export function probingFacts(spec: unknown, status: NodeStateStatus | undefined): ProbingFacts {
  const probes = probesSchema.safeParse(fieldAt(spec, "probes")).data ?? [];
  const answers = probeAnswersSchema.safeParse(fieldAt(spec, "probeAnswers")).data ?? [];
  const { probeRequest: request, reachRequests = [], probeResults: results = [] } = status ?? {};
  const idle = request === undefined && reachRequests.length + results.length + probes.length + answers.length === 0;
  return idle ? NO_PROBING : { request, reachRequests, results, probes, answers };
}

export interface PurposedRequest {
  readonly request: ProbeRequest;
  readonly purpose: ProbePurpose;
}

/** All that the node asks for. */
export function requestsOf({ request, reachRequests }: ProbingFacts): readonly PurposedRequest[] {
  return [
    ...(request === undefined ? [] : [{ request, purpose: "Audit" as const }]),
    ...reachRequests.map((one) => ({ request: one, purpose: "Change" as const })),
  ];
}
