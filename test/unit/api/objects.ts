import { ephemeralPortsSamples } from "./objects/ephemeral-ports-samples.ts";
import { inboundSamples } from "./objects/inbound-samples.ts";
import { addressGroupSamples, nodeStateSamples } from "./objects/other-kind-samples.ts";
import { outboundSamples } from "./objects/outbound-samples.ts";
import { peerSamples } from "./objects/peer-samples.ts";
import { policySamples } from "./objects/policy-samples.ts";
import { rateLimitSamples } from "./objects/rate-limit-samples.ts";

/** The table of good and bad objects: test/unit/api gives them to zod, test/cluster to the API server and to kubectl. */
export const objects = [
  ...policySamples,
  ...ephemeralPortsSamples,
  ...inboundSamples,
  ...outboundSamples,
  ...peerSamples,
  ...rateLimitSamples,
  ...addressGroupSamples,
  ...nodeStateSamples,
];
