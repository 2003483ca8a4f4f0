import { bad, badNull, good, policy, type Sample } from "./sample.ts";

const rollout = (fields: unknown) => policy({ rollout: fields });
const canary = (fields: unknown) => rollout({ canary: fields });

const MAX = "spec.rollout.maxUnavailable";
const COUNT = "spec.rollout.canary.count";
const DEADLINE = "spec.rollout.progressDeadlineSeconds";
const TIMEOUT = "spec.rollout.confirmTimeoutSeconds";

export const rolloutSamples: readonly Sample[] = [
  good("no field of rollout", rollout({})),
  good(
    "every field of rollout",
    rollout({
      strategy: "Progressive",
      canary: { count: 2, nodeSelector: { matchLabels: { canary: "true" } } },
      maxUnavailable: "25%",
      progressDeadlineSeconds: 600,
      paused: true,
      confirmTimeoutSeconds: 120,
    }),
  ),
  good("all nodes at once", rollout({ strategy: "Immediate" })),
  good("no field of canary", canary({})),
  good("a number of nodes at a time", rollout({ maxUnavailable: 3 })),
  good("all nodes at a time", rollout({ maxUnavailable: "100%" })),
  good("one percent of the nodes at a time", rollout({ maxUnavailable: "1%" })),
  good("the longest deadline", rollout({ progressDeadlineSeconds: 86_400 })),
  good("null where rollout has defaults", rollout({ strategy: null, maxUnavailable: null, paused: null })),
  good("rollout where the policy observes", policy({ mode: "Observe", rollout: { paused: true } })),
  badNull("null for rollout", rollout(null), "spec.rollout"),
  badNull("null for canary", canary(null), "spec.rollout.canary"),
  badNull("null for the canaries' labels", canary({ nodeSelector: null }), "spec.rollout.canary.nodeSelector"),
  bad("an unknown field of rollout", rollout({ pause: true }), "spec.rollout.pause", "unknown field"),
  bad("an unknown field of canary", canary({ nodes: 1 }), "spec.rollout.canary.nodes", "unknown field"),
  bad(
    "another strategy",
    rollout({ strategy: "RollingUpdate" }),
    "spec.rollout.strategy",
    "must be",
    "Unsupported value",
  ),
  bad("no canary", canary({ count: 0 }), COUNT, "at least 1", "should be greater than or equal to 1"),
  bad("half a canary", canary({ count: 1.5 }), COUNT, "must be a whole number", "must be of type int"),
  bad(
    "no node at a time",
    rollout({ maxUnavailable: 0 }),
    MAX,
    "must be a number of nodes",
    "should be greater than or equal to 1",
  ),
  bad("no percent of the nodes", rollout({ maxUnavailable: "0%" }), MAX, "must be a number of nodes", "should match"),
  bad("more than all nodes", rollout({ maxUnavailable: "101%" }), MAX, "must be a number of nodes", "should match"),
  bad(
    "a number of nodes in quotes",
    rollout({ maxUnavailable: "3" }),
    MAX,
    "must be a number of nodes",
    "should match",
  ),
  bad("a list of nodes at a time", rollout({ maxUnavailable: [] }), MAX, "must be a number of nodes", "must be"),
  bad(
    "a deadline of no seconds",
    rollout({ progressDeadlineSeconds: 0 }),
    DEADLINE,
    "at least 1",
    "should be greater than or equal to 1",
  ),
  bad(
    "a deadline of more than a day",
    rollout({ progressDeadlineSeconds: 86_401 }),
    DEADLINE,
    "at most 86400",
    "should be less than or equal to 86400",
  ),
  bad(
    "paused as a word",
    rollout({ paused: "yes" }),
    "spec.rollout.paused",
    "must be true or false",
    "must be of type boolean",
  ),
  ...[5, 60, 3600].map((seconds) => good(`${seconds} s to confirm`, rollout({ confirmTimeoutSeconds: seconds }))),
  good("null for the time to confirm", rollout({ confirmTimeoutSeconds: null })),
  bad("4 s to confirm", rollout({ confirmTimeoutSeconds: 4 }), TIMEOUT, "at least 5", "greater than or equal to 5"),
  bad(
    "3601 s to confirm",
    rollout({ confirmTimeoutSeconds: 3601 }),
    TIMEOUT,
    "at most 3600",
    "less than or equal to 3600",
  ),
  bad(
    "half a second more to confirm",
    rollout({ confirmTimeoutSeconds: 5.5 }),
    TIMEOUT,
    "whole number",
    "must be of type int32",
  ),
  bad(
    "a text for the time to confirm",
    rollout({ confirmTimeoutSeconds: "60" }),
    TIMEOUT,
    "must be a",
    "must be of type integer",
  ),
];
