import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { attemptResult } from "./attempt-result.ts";
import type { Opened } from "./connection.ts";
import type { Attempt, AttemptResult } from "./protocol.ts";

/**
 * Counts as connected when somebody answered the INIT; no association comes about (sctp-prober.pl). One helper process for
 * all attempts, started with the first; Node has no raw sockets.
 */
export function sctpOpener(): (attempt: Attempt, timeoutMilliseconds: number) => Promise<Opened> {
  let probe: Probe | undefined;
  return ({ from, to, port }, timeoutMilliseconds) => {
    if (from === undefined) throw new Error("an SCTP attempt needs a source address");
    probe ??= startProber();
    const started = performance.now();
    const opened = (outcome: AttemptResult["outcome"], error?: string): Opened => ({
      result: attemptResult(started, outcome, () => ({ address: from }), error),
      ...(outcome === "connected" ? { connection: { exchange: async () => "closed", release: () => undefined } } : {}),
    });
    const answer = probe(`${from} ${to} ${port}`, timeoutMilliseconds);
    return answer.then((word) => {
      if (word === undefined) return opened("timeout");
      if (word === "answered") return opened("connected");
      return word === "refused" ? opened("refused") : opened("failed", word);
    });
  };
}

/** Resolves to what was heard in time. */
type Probe = (question: string, timeoutMilliseconds: number) => Promise<string | undefined>;

function startProber(): Probe {
  const prober = spawn("perl", [join(import.meta.dirname, "sctp-prober.pl")], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (word: string) => void>();
  createInterface({ input: prober.stdout }).on("line", (line) => {
    const [, id, word = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
    waiting.get(Number(id))?.(word);
  });
  let asked = 0;
  return (question, timeoutMilliseconds) => {
    asked += 1;
    const id = asked;
    return new Promise((resolve) => {
      const end = (word?: string) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(word);
      };
      const timer = setTimeout(end, timeoutMilliseconds);
      waiting.set(id, end);
      prober.stdin.write(`${id} ${question}\n`);
    });
  };
}
