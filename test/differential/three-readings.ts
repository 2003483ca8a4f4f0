import { parsePolicy } from "../../src/api/parse.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { compile } from "../../src/plan/compile.ts";
import { merge } from "../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../src/plan/node-settings.ts";
import { assign } from "../../src/plan/plan-hash.ts";
import type { GroupAddresses } from "../../src/plan/types.ts";
import { render } from "../../src/render/render.ts";
import type { RuleSet } from "../../src/render/types.ts";
import { simulator } from "../../src/simulate/simulate.ts";
import { clusterGroup } from "../netns/packets/enforcer.ts";
import type { Case } from "./arbitrary-case.ts";
import type { Network } from "./network.ts";
import { plainReading } from "./plain-reading.ts";
import type { Policy } from "./policy-shape.ts";
import { attemptOf, describeShot, firstPacketOf, packetOf, type Shot } from "./shot.ts";
import type { World } from "./world-facts.ts";

/** Long enough for a packet within one machine; what seems lost is sent again before it counts. */
const TIMEOUT_MILLISECONDS = 350;
const PATIENT_TIMEOUT_MILLISECONDS = 2_500;

/** The policies as the agent would have them rendered for the node. */
export function renderCase(policies: readonly Policy[], world: World): RuleSet {
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
  const settings = { ...DEFAULT_NODE_SETTINGS, podsOnUplink: world.podsOnUplink };
  return render(merge(assigned, [...world.groups, ...cluster], settings));
}

/** Whether each shot gets through, by the simulator and by the plain reading; in words where the two do not agree. */
export function foretell(ruleSet: RuleSet, { policies, world, shots }: Case): { passes: boolean; differs?: string }[] {
  const simulated = simulator(ruleSet);
  return shots.map((shot) => {
    const simulation = simulated(packetOf(shot));
    const plain = plainReading(policies, world, firstPacketOf(shot));
    const limits = new Set(simulation.mayBeLimitedBy.map(({ policy, entry }) => `${policy}/${entry}`));
    const sayings = [
      `simulator: ${simulation.verdict}, limits [${[...limits].toSorted().join(" ")}], by ${JSON.stringify(simulation.decidedBy)}`,
      `plain reading: ${word(plain.passes)}, limits [${plain.limits.toSorted().join(" ")}]`,
    ];
    const agree =
      (simulation.verdict === "Passed") === plain.passes &&
      limits.size === plain.limits.length &&
      plain.limits.every((limit) => limits.has(limit));
    return { passes: plain.passes, ...(agree ? {} : { differs: [describeShot(shot), ...sayings].join("\n  ") }) };
  });
}

/** Whether each shot really gets through, all sent at once. Throws where one meets neither an answer nor silence. */
export async function shoot(network: Network, shots: readonly Shot[], timeoutMilliseconds = TIMEOUT_MILLISECONDS) {
  const through = new Map<Shot, boolean>();
  await Promise.all(
    Object.entries(network.senders).map(async ([sender, traffic]) => {
      const own = shots.filter((shot) => shot.sender === sender);
      const results = await traffic.connectAll(own.map(attemptOf), { timeoutMilliseconds });
      for (const [index, { outcome, error = "" }] of results.entries()) {
        const shot = own[index];
        if (shot === undefined) continue;
        // Refused is what Reject does: every shot finds somebody listening where it gets through.
        if (outcome !== "connected" && outcome !== "timeout" && outcome !== "refused")
          throw new Error(`${describeShot(shot)}: ${outcome} ${error}`);
        through.set(shot, outcome === "connected");
      }
    }),
  );
  return shots.map((shot) => through.get(shot) ?? false);
}

export interface Outcome {
  /** Shots that the kernel dropped. */
  readonly dropped: number;
  /** In words, one for each shot on which kernel, simulator and plain reading do not all say the same. */
  readonly disagreements: readonly string[];
}

/** Enforces the policies, sends the shots, and compares. */
export async function threeReadings(network: Network, kernel: Kernel, one: Case): Promise<Outcome> {
  const ruleSet = renderCase(one.policies, one.world);
  const foretold = foretell(ruleSet, one);
  await kernel.apply(ruleSet);
  // Flows from under the policies before would be known to conntrack, and a source port may come up again.
  await network.node.exec("conntrack", ["-F"]);
  const seen = await shoot(network, one.shots);
  const doubtful = one.shots.flatMap((shot, index) => {
    const passes = foretold[index]?.passes ?? false;
    return seen[index] === passes ? [] : [{ shot, passes }];
  });
  const again = doubtful.length === 0 ? [] : await shoot(network, shotsOf(doubtful), PATIENT_TIMEOUT_MILLISECONDS);
  const unexpected = doubtful.flatMap(({ shot, passes }, index) =>
    again[index] === passes ? [] : [`${describeShot(shot)}\n  kernel: ${word(!passes)}, foretold: ${word(passes)}`],
  );
  return {
    dropped: seen.filter((passed) => !passed).length,
    disagreements: [...foretold.flatMap(({ differs }) => differs ?? []), ...unexpected],
  };
}

function shotsOf(all: readonly { readonly shot: Shot }[]): Shot[] {
  return all.map(({ shot }) => shot);
}

function word(passes: boolean): string {
  return passes ? "Passed" : "Dropped";
}
