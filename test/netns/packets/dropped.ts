import { dropLog } from "../../../src/agent/drop-log.ts";
import { dropReader } from "../../../src/agent/drop-reader.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { Enforcer } from "./enforcer.ts";

export interface DropWatch {
  /** What the agent logs at a look, as `policy/entry Inbound 203.0.113.7 TCP 8443: 2`, sorted. */
  said(): Promise<string[]>;
  /** What status tells: `policy/entry Inbound 4: 203.0.113.7 2, ...`. */
  status(): string[];
}

/** An agent's reader of the sets that an enforcer's rules fill, for what is enforced from now on. */
export function watchDrops({ kernel, rules }: Enforcer, policies: readonly string[], perMinute = 1_000): DropWatch {
  let lines: string[] = [];
  const log = createLogger({ name: "test", level: "info", destination: { write: (line) => void lines.push(line) } });
  const drops = dropReader({ kernel, rules, log });
  const plan = { dropLogs: policies.map((policy) => ({ policy, perMinute })) };
  const clock = { now: 0 };
  const watch = dropLog({ kernel, drops, held: () => ({ plan, rules: rules() }), log, now: () => clock.now });
  return {
    async said() {
      lines = [];
      // Later than any pause, and than the minute for which a peer is not named again.
      clock.now += 61_000;
      // As an agent does once a minute.
      await drops.read();
      await watch.look();
      return lines.map((line) => describe(JSON.parse(line))).toSorted();
    },
    status: () =>
      watch.status().map(({ policy, entry, direction, packets, topPeers = [] }) => {
        const peers = topPeers.map(({ address, packets: count }) => `${address} ${count}`);
        return `${policy}/${entry} ${direction} ${packets}: ${peers.join(", ")}`;
      }),
  };
}

function describe(line: Readonly<Record<string, unknown>>): string {
  const { policy, entry, direction, source, destination = source, protocol, port, packets, msg, peers } = line;
  if (msg === "dropped") return `${policy}/${entry} ${direction} ${destination} ${protocol} ${port}: ${packets}`;
  return `${policy}: ${msg}: ${peers} peers, ${packets} packets`;
}
