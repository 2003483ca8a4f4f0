/** Applies a range of local ports as an agent does that has just started, twice, and prints what came of it. */
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import { localHost } from "../../../src/kernel/local-host.ts";
import { equal, nothing, RANGE } from "./samples.ts";

const [, , stateDir = "", sysctlDir = "", range = ""] = process.argv;
const kernel = linuxKernel({ host: localHost(), stateDir, sysctlDir });
const desired = { ...nothing, sysctls: [equal(RANGE, range)] };
const first = await kernel.apply(desired);
const second = await kernel.apply(desired);
const measured = (await kernel.sysctls([RANGE])).get(RANGE);
const told = {
  differences: first.differences,
  again: second.differences,
  left: await kernel.verify(desired, "Full"),
  measured,
  obstacle: kernel.persistObstacle(),
};
process.stdout.write(`${JSON.stringify(told)}\n`);
