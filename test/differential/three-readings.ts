import { parsePolicy } from "../../src/api/parse.ts";
import { nodeSelectionsIn, selectedAddresses } from "../../src/controller/selected-nodes.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { compile } from "../../src/plan/compile.ts";
import { merge } from "../../src/plan/merge.ts";
import type { NodePlan } from "../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../src/plan/node-settings.ts";
import { assign } from "../../src/plan/plan-hash.ts";
import { selectedNodesGroup } from "../../src/plan/selected-nodes.ts";
import type { GroupAddresses } from "../../src/plan/types.ts";
import { render } from "../../src/render/render.ts";
import type { RuleSet } from "../../src/render/types.ts";
import { simulator } from "../../src/simulate/simulate.ts";
import { clusterGroup } from "../netns/packets/enforcer.ts";
import type { Case } from "./arbitrary-case.ts";
import type { Network } from "./network.ts";
import { plainReading, type Reading } from "./plain-reading.ts";
import type { Policy } from "./policy-shape.ts";
import { answerTo, attemptOf, describeShot, firstPacketOf, packetOf, type Shot } from "./shot.ts";
import type { World } from "./world-facts.ts";

/** Long enough for a packet within one machine; what seems lost is sent again before it counts. */
const TIMEOUT_MILLISECONDS = 350;
const PATIENT_TIMEOUT_MILLISECONDS = 2_500;

/** The policies as the agent would have them merged for the node. */
export function planCase(policies: readonly Policy[], world: World): NodePlan {
  const assigned = policies.flatMap(({ metadata: { name }, spec }) => {
    const object = { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningPolicy", metadata: { name } };
    const policy = parsePolicy({ ...object, spec: { mode: "Enforce", ...spec } });
    const plan = compile(policy, { name: "node", labels: world.nodeLabels }, { allowedSysctls: [] });
    return plan === undefined ? [] : [assign(policy, plan)];
  });
  const cluster: GroupAddresses[] = [
    clusterGroup("nodes", world.nodes),
    clusterGroup("apiservers", world.apiservers),
    clusterGroup("pods", world.pods),
    clusterGroup("vips", world.vips),
    clusterGroup("service-cidrs", world.serviceCidrs),
  ];
  const members = world.members.map((member) => ({ ...member, uid: "", ready: true, podCidrs: [] }));
  const selected = assigned
    .flatMap(({ plan }) => nodeSelectionsIn(plan))
    .map(({ hash, selector }) => selectedNodesGroup(hash, 0, [...selectedAddresses(selector, members)]));
  // Two entries may select alike; the controller publishes a selection once.
  const published = [...new Map(selected.map((group) => [group.name, group])).values()];
  const settings = { ...DEFAULT_NODE_SETTINGS, podsOnUplink: world.podsOnUplink };
  return merge(assigned, [...world.groups, ...cluster, ...published], settings);
}

type Fate = Reading["verdict"];

/** What becomes of a shot, by the simulator and by the plain reading; in words where the two do not agree. */
interface Foretold {
  readonly fate: Fate;
  readonly differs: readonly string[];
}

export function foretell(ruleSet: RuleSet, { policies, world, shots }: Case): Foretold[] {
  const simulated = simulator(ruleSet);
  const foretellOne = (shot: Shot): Foretold => {
    const simulation = simulated(packetOf(shot));
    const plain = plainReading(policies, world, firstPacketOf(shot));
    const limits = new Set(simulation.mayBeLimitedBy.map(({ policy, entry }) => `${policy}/${entry}`));
    const sayings = [
      `simulator: ${simulation.verdict}, limits [${[...limits].toSorted().join(" ")}], by ${JSON.stringify(simulation.decidedBy)}`,
      `plain reading: ${plain.verdict}, limits [${plain.limits.toSorted().join(" ")}]`,
    ];
    const agree =
      simulation.verdict === plain.verdict &&
      limits.size === plain.limits.length &&
      plain.limits.every((limit) => limits.has(limit));
    const answer = answerTo(shot);
    const answered = answer === undefined ? undefined : foretellOne(answer);
    return {
      fate: seenOf(plain.verdict, answered?.fate),
      differs: [...(agree ? [] : [[describeShot(shot), ...sayings].join("\n  ")]), ...(answered?.differs ?? [])],
    };
  };
  return shots.map(foretellOne);
}

/**
 * What of a fate its sender sees. Nobody hears that a broadcast is refused: ICMP does not answer it (RFC 1122, 3.2.2), nor
 * does a socket hear it that is not connected; and that it passed shows only if the answer passes too.
 */
function seenOf(fate: Fate, answer: Fate | undefined): Fate {
  if (answer === undefined) return fate;
  return fate === "Passed" && answer === "Passed" ? "Passed" : "Dropped";
}

/** What really becomes of each shot, all sent at once: an answer, a refusal, or silence. Throws on anything else. */
export async function shoot(
  network: Network,
  shots: readonly Shot[],
  timeoutMilliseconds = TIMEOUT_MILLISECONDS,
): Promise<Fate[]> {
  const fates = new Map<Shot, Fate>();
  await Promise.all(
    Object.entries(network.senders).map(async ([sender, traffic]) => {
      const own = shots.filter((shot) => shot.sender === sender);
      const results = await traffic.connectAll(own.map(attemptOf), { timeoutMilliseconds });
      for (const [index, { outcome, error = "" }] of results.entries()) {
        const shot = own[index];
        if (shot === undefined) continue;
        // Every shot finds somebody who answers where it gets through, so only Reject refuses.
        if (outcome === "failed") throw new Error(`${describeShot(shot)}: failed ${error}`);
        fates.set(shot, ({ connected: "Passed", refused: "Rejected", timeout: "Dropped" } as const)[outcome]);
      }
    }),
  );
  return shots.map((shot) => fates.get(shot) ?? "Dropped");
}

export interface Outcome {
  /** Shots by what the kernel did with them. */
  readonly fates: readonly Fate[];
  /** In words, one for each shot on which kernel, simulator and plain reading do not all say the same. */
  readonly disagreements: readonly string[];
}

/** Enforces the policies, sends the shots, and compares. */
export async function threeReadings(network: Network, kernel: Kernel, one: Case): Promise<Outcome> {
  const ruleSet = render(planCase(one.policies, one.world));
  const foretold = foretell(ruleSet, one);
  await kernel.apply(ruleSet);
  // Flows from under the policies before would be known to conntrack, and a source port may come up again.
  await network.node.exec("conntrack", ["-F"]);
  const fates = await shoot(network, one.shots);
  const differing = one.shots.flatMap((shot, index) => {
    const fate = foretold[index]?.fate ?? "Passed";
    const seen = fates[index] ?? "Dropped";
    return seen === fate ? [] : [{ shot, fate, seen }];
  });
  // Silence may mean that the machine was slow; an answer means what it means.
  const doubtful = differing.filter(({ seen }) => seen === "Dropped");
  const again = doubtful.length === 0 ? [] : await shoot(network, shotsOf(doubtful), PATIENT_TIMEOUT_MILLISECONDS);
  const unexpected = [
    ...differing.filter(({ seen }) => seen !== "Dropped"),
    ...doubtful.flatMap((it, index) => (again[index] === it.fate ? [] : [{ ...it, seen: again[index] ?? it.seen }])),
  ].map(({ shot, fate, seen }) => `${describeShot(shot)}\n  kernel: ${seen}, foretold: ${fate}`);
  return { fates, disagreements: [...foretold.flatMap(({ differs }) => differs), ...unexpected] };
}

function shotsOf(all: readonly { readonly shot: Shot }[]): Shot[] {
  return all.map(({ shot }) => shot);
}
