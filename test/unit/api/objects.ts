import { auditSamples } from "./objects/audit-samples.ts";
import { auditStatusSamples } from "./objects/audit-status-samples.ts";
import { ephemeralPortsSamples } from "./objects/ephemeral-ports-samples.ts";
import { inboundSamples } from "./objects/inbound-samples.ts";
import { monitoringSamples } from "./objects/monitoring-samples.ts";
import { addressGroupSamples, nodeStateSamples, podRangeSamples } from "./objects/other-kind-samples.ts";
import { outboundSamples } from "./objects/outbound-samples.ts";
import { peerSamples } from "./objects/peer-samples.ts";
import { policySamples } from "./objects/policy-samples.ts";
import { rateLimitSamples } from "./objects/rate-limit-samples.ts";
import { rolloutSamples } from "./objects/rollout-samples.ts";
import { watchStatusSamples } from "./objects/watch-status-samples.ts";

/** The table of good and bad objects: test/unit/api gives them to zod, test/cluster to the API server and to kubectl. */
export const objects = [
  ...policySamples,
  ...ephemeralPortsSamples,
  ...inboundSamples,
  ...outboundSamples,
  ...peerSamples,
  ...rateLimitSamples,
  ...monitoringSamples,
  ...rolloutSamples,
  ...auditSamples,
  ...addressGroupSamples,
  ...nodeStateSamples,
  ...podRangeSamples,
];

/** The same of statuses, each with its kind: a status is written apart from its object. */
export const statuses = [...auditStatusSamples, ...watchStatusSamples];
