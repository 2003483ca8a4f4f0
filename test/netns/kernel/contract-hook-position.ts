import { expect, it } from "vitest";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { sample } from "./samples.ts";
import { rulesOf, type Subject, tamper, tamperTable } from "./subject.ts";

const HARMLESS = ["-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-p udp -j MARK --set-xmark 0x1/0x1"];
const ACCEPTS = "-p udp -j ACCEPT";

export function describeHookPosition(current: () => Subject, started: () => Kernel): void {
  const hooked = async () => (await rulesOf(current(), 4)).filter((line) => line.startsWith("-A PREROUTING"));

  it("stands behind rules of others that let no new connection past, and writes nothing for them", async () => {
    await started().apply(sample);
    for (const rule of HARMLESS) await tamper(current(), 4, `-I PREROUTING 1 ${rule}`);
    const before = await hooked();
    expect(await started().verify(sample, "Full")).toEqual([]);
    expect((await started().apply(sample)).unchanged).toBe(true);
    expect(await hooked()).toEqual(before);
    expect(started().evasions()).toEqual([]);
  });

  it("comes to the head once; where the place is taken again it stays behind, and names what gets past", async () => {
    await started().apply(sample);
    await tamper(current(), 4, `-I PREROUTING 1 ${ACCEPTS}`);
    await started().apply(sample);
    expect(started().evasions()).toEqual([]);
    await tamper(
      current(),
      4,
      `-D PREROUTING ${ACCEPTS}`,
      ":OTHER - [0:0]",
      `-A OTHER ${ACCEPTS}`,
      "-I PREROUTING 1 -j OTHER",
    );
    const taken = await hooked();
    expect(await started().verify(sample, "Full")).toEqual([]);
    expect((await started().apply(sample)).unchanged).toBe(true);
    expect(await hooked()).toEqual(taken);
    const evasion = { place: "PREROUTING (v4)", ahead: "-j OTHER", rule: `OTHER ${ACCEPTS}`, policies: [] };
    expect(started().evasions()).toEqual([evasion]);
    await tamper(current(), 4, "-D PREROUTING -j OTHER");
    expect(await started().verify(sample, "Headers")).toEqual([]);
    expect(started().evasions()).toEqual([]);
  });

  it("judges its hook in filter by itself", async () => {
    await started().apply(sample);
    for (const _ of ["moved", "left"]) {
      await tamperTable(current(), 6, "filter", "-I OUTPUT 1 -j ACCEPT");
      await started().apply(sample);
    }
    expect(started().evasions()).toMatchObject([{ place: "filter OUTPUT (v6)", rule: "OUTPUT -j ACCEPT" }]);
  });
}
