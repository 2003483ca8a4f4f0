import { dropReader } from "../../../src/agent/drop-reader.ts";
import { topEntries, withTopPeers } from "../../../src/agent/observed-entries.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { Enforcer } from "./enforcer.ts";

const log = createLogger({ name: "test", level: "error" });

/** What observers counted since they were written, as an agent reads it: `watch/office Open 1: 203.0.113.7 1`. */
export async function observedBy({ kernel, rules }: Enforcer): Promise<string[]> {
  const held = rules();
  const drops = dropReader({ kernel, rules: () => held, log });
  await drops.read();
  const { Drop, Open } = drops.observed;
  const entries = await withTopPeers(topEntries(Drop.entries(), Open.entries()), held, kernel, log);
  return entries
    .map(({ policy, entry, would, packets, topPeers }) => {
      const peers = topPeers.map(({ address, packets: count }) => `${address} ${count}`);
      return `${policy}/${entry} ${would} ${packets}: ${peers.join(", ")}`;
    })
    .toSorted();
}
