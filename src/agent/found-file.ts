import { isIP } from "node:net";
import { join } from "node:path";
import type { Host } from "../kernel/host.ts";
import type { FoundFact } from "../plan/found-failsafes.ts";

/** Keeps what the node showed over restarts: what is not there when the agent starts must not narrow the failsafes. */
export interface FoundFile {
  /** None where there is no file, or none that can be read. Throws where the disk refuses. */
  load(): Promise<readonly FoundFact[]>;
  save(facts: readonly FoundFact[]): Promise<void>;
  forget(): Promise<void>;
}

const FILE = "found.json";

const KINDS: readonly FoundFact["kind"][] = ["SshListener", "ApiServer", "Resolver"];

/** In the folder of the agent's state, which only root may enter. */
export function foundFile(folder: string, host: Pick<Host, "readFile" | "remove" | "writeFileAtomic">): FoundFile {
  const path = join(folder, FILE);
  return {
    async load() {
      const text = await host.readFile(path);
      try {
        return parseFacts(JSON.parse(text ?? "[]"));
      } catch {
        // Cut, or of another version: a look at the node finds again what is there.
        return [];
      }
    },
    forget: () => host.remove(path),
    save: (facts) => host.writeFileAtomic(path, `${JSON.stringify(facts)}\n`),
  };
}

/** All of it or nothing: throws where anything is not as we write it. */
function parseFacts(value: unknown): FoundFact[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map((item: unknown): FoundFact => {
    if (typeof item !== "object" || item === null) throw new TypeError("not an object");
    const fact: Readonly<Partial<Record<keyof FoundFact, unknown>>> = item;
    const { port, address, evidence } = fact;
    const kind = KINDS.find((known) => known === fact.kind);
    const isPort = typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535;
    if (kind === undefined || !isPort || typeof evidence !== "string") throw new TypeError("not a fact");
    if (address === undefined) return { kind, port, evidence };
    if (typeof address !== "string" || isIP(address) === 0) throw new TypeError("not an address");
    return { kind, port, address, evidence };
  });
}
