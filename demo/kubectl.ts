import type { ControlPlane } from "../test/lab/control-plane.ts";
import type { Show } from "./show.ts";

/** Runs the real kubectl and shows the command, as a person would type it, with what it printed; returns that. */
export type ShownKubectl = (...args: string[]) => Promise<string>;

export function shownKubectl(show: Show, { kubectl }: Pick<ControlPlane, "kubectl">): ShownKubectl {
  return async (...args) => {
    // Longer than anything here is told to wait itself.
    const { stdout } = await kubectl(args, { timeoutMilliseconds: 90_000 });
    show.command(["kubectl", ...args.map(quoted)].join(" "), stdout);
    return stdout;
  };
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument}'`;
}
