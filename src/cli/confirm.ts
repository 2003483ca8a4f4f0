import { Command } from "commander";
import { guardOf } from "./apply.ts";

/** `porthardening confirm`: what `apply --confirm-within` has changed stays. */
export function confirmCommand(): Command {
  return new Command("confirm")
    .description("Keeps what `porthardening apply --confirm-within` has changed. Exit code 0: it stays.")
    .option("--state-dir <dir>", "as it was given to apply", "/var/lib/port-hardening")
    .action(async ({ stateDir }: { readonly stateDir: string }) => {
      const guard = guardOf(stateDir);
      const left = await guard.left();
      if (left === undefined) throw new Error("nothing waits to be confirmed");
      if (!left.armed || !(await guard.confirm())) throw new Error("it is too late: the change was taken back");
      process.stdout.write("confirmed: it stays\n");
    });
}
