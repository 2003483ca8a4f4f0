import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { AgentLab } from "../agent/agent-lab.ts";
import type { FirstPacketSent, Streamed } from "./packet-stream.ts";
import { judgedPort, type RandomState, randomState } from "./random-states.ts";

/** What became of packets while a node was told one thing after the other. */
export interface StreamOverUpdates {
  readonly updates: number;
  /** First packets that every state passes that may have been in force, and those of them that did not get through. */
  readonly passing: { readonly sent: number; readonly lost: readonly FirstPacketSent[] };
  /** Those that every such state drops, and those of them that got through. */
  readonly dropped: { readonly sent: number; readonly through: readonly FirstPacketSent[] };
  /** First packets about which the states before and behind an update differ: either is right. */
  readonly either: number;
  /** Packets of flows that stood before the first update. */
  readonly flows: Streamed["flows"];
}

/** In force, perhaps: from when it was asked for until the next one was measured to be in force. */
interface InForce {
  readonly state: RandomState;
  readonly from: number;
  until: number;
}

const program = resolve(import.meta.dirname, "packet-stream.ts");
/** A packet that the kernel has taken is judged within microseconds; on a machine under load soft interrupts may wait. */
const SLACK_MILLISECONDS = 250;
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** The agent runs, and nothing is assigned. `sources`: addresses of the outside host. */
export async function streamOverUpdates(
  lab: AgentLab,
  sources: readonly string[],
  { updates, random }: { readonly updates: number; readonly random: () => number },
): Promise<StreamOverUpdates> {
  // Nothing is enforced before the first.
  const told: InForce[] = [{ state: { policies: [], passes: () => true }, from: 0, until: Number.POSITIVE_INFINITY }];
  const tell = async () => {
    const state = randomState(sources, random);
    const next = { state, from: now(), until: Number.POSITIVE_INFINITY };
    const before = told.at(-1);
    told.push(next);
    await lab.assign(state.policies);
    await lab.statusWhere("the update to be enforced", ({ policies = [] }) => {
      const hashes = state.policies.map(({ name, hash }) => `${name} ${hash} Enforced`);
      return (
        policies
          .map(({ name, hash, state: at }) => `${name} ${hash} ${at}`)
          .toSorted()
          .join() === hashes.join()
      );
    });
    if (before !== undefined) before.until = now();
  };
  const args = [program, lab.node.ipv4, `${judgedPort}`, ...sources];
  const { child, exited } = await lab.outside.spawn("stream", process.execPath, args, { stdio: "pipe" });
  if (child.stdin === null || child.stdout === null) throw new Error("the stream has no pipes");
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");
  for (let update = 0; update < updates; update += 1) await tell();
  const said = once(lines, "line");
  child.stdin.end();
  const { first, flows }: Streamed = JSON.parse(String((await said)[0]));
  await exited;
  return { updates, ...judged(first, told), flows };
}

function judged(
  packets: readonly FirstPacketSent[],
  told: readonly InForce[],
): Pick<StreamOverUpdates, "passing" | "dropped" | "either"> {
  const verdictOf = (packet: FirstPacketSent): boolean | "Either" => {
    const possible = told.filter(({ from, until }) => from <= packet.to + SLACK_MILLISECONDS && until >= packet.from);
    const [verdict = true, ...others] = new Set(possible.map(({ state }) => state.passes(packet.source)));
    return others.length === 0 ? verdict : "Either";
  };
  const by = Map.groupBy(packets, verdictOf);
  const [passing, dropped] = [by.get(true) ?? [], by.get(false) ?? []];
  return {
    passing: { sent: passing.length, lost: passing.filter(({ echoed }) => !echoed) },
    dropped: { sent: dropped.length, through: dropped.filter(({ echoed }) => echoed) },
    either: by.get("Either")?.length ?? 0,
  };
}
