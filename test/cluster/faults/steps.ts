import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { waitFor } from "../../lab/wait-for.ts";
import type { FaultLab } from "./fault-lab.ts";

const hook = resolve(import.meta.dirname, "stop-at-step.ts");

export interface Step {
  readonly name: string;
  /** From 1. */
  readonly number: number;
}

/** Ends or stops the agent of a lab between two steps of a change; see `stop-at-step.ts`. */
export interface Steps {
  /** What an agent is started through. `options`: more of Node's. */
  through(...options: readonly string[]): readonly string[];
  /** Before this step of the change that is made next, by its number (from 1) or its name. */
  order(signal: "SIGKILL" | "SIGSTOP", step: number | string): void;
  /**
   * The steps of the change that is made next, until one of this name: what is saved for the guard, file by file, counts as one.
   * Nothing is stopped. `until`: it has come to its end.
   */
  trace(last: string, until: () => Promise<unknown>): Promise<readonly Step[]>;
  /** Until the order is carried out; before which step. */
  stopped(): Promise<string>;
}

export function steps(one: () => FaultLab): Steps {
  const folder = () => join(one().lab.node.folder, "steps");
  const at = (name: string) => join(folder(), name);
  const clear = () => {
    rmSync(folder(), { recursive: true, force: true });
    mkdirSync(folder());
  };
  const traced = () => (existsSync(at("trace")) ? readFileSync(at("trace"), "utf8").trim().split("\n") : []);
  const order: Steps["order"] = (signal, step) => {
    clear();
    // Renamed, or half of it could be read.
    writeFileSync(at("order.new"), `${signal} ${step}\n`);
    renameSync(at("order.new"), at("order"));
  };
  return {
    through: (...options) => [
      "env",
      `STEPS_FOLDER=${folder()}`,
      `NODE_OPTIONS=${[`--import=${hook}`, ...options].join(" ")}`,
    ],
    order,
    async trace(last, until) {
      order("SIGKILL", Number.MAX_SAFE_INTEGER);
      await until();
      rmSync(at("order"));
      return distinct(traced(), last);
    },
    async stopped() {
      await waitFor("the agent to come to the step", () => (existsSync(at("done")) ? true : undefined), {
        timeoutMilliseconds: 60_000,
        intervalMilliseconds: 5,
        lastSeen: () => traced().join("; "),
      });
      return traced().at(-1) ?? "";
    },
  };
}

const SAVED = "write guard/arming/*";

/** Of the files that are saved the one in the middle. */
function distinct(trace: readonly string[], last: string): readonly Step[] {
  const all = trace.slice(0, trace.indexOf(last) + 1).map((name, index) => ({ name, number: index + 1 }));
  const saves = all.filter(({ name }) => name === SAVED);
  const middle = saves[Math.floor(saves.length / 2)];
  return all.filter((step) => step.name !== SAVED || step === middle);
}
