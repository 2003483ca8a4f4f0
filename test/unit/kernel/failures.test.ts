import { expect, it } from "vitest";
import { ReadBackError, RollBackError, SysctlError, ToolError, ToolMissingError } from "../../../src/kernel/errors.ts";
import { fakeKernel } from "../../../src/kernel/fake-kernel.ts";
import type { Step } from "../../../src/kernel/memory-host.ts";
import { ownProcesses } from "../../../src/kernel/own-processes.ts";
import { BACKLOG, equal, nothing, sample } from "../../netns/kernel/samples.ts";

it("says both what failed and that putting back failed too", async () => {
  const kernel = fakeKernel();
  const refusal = new SysctlError(BACKLOG, "4096", "EINVAL: invalid argument, write");
  let failing = false;
  kernel.host.failWhen((step) => {
    if (step.kind === "WriteSysctl" && step.key === BACKLOG) failing = true;
    if (!failing) return undefined;
    return step.kind === "WriteSysctl" ? refusal : new ToolError("iptables-nft-save", "no memory");
  });
  const failure = kernel.apply(sample);
  await expect(failure).rejects.toThrow(RollBackError);
  await expect(failure).rejects.toThrow(/EINVAL.*putting back what was there failed: .*no memory/);
  await expect(failure).rejects.toMatchObject({ cause: refusal });
});

/** The sysctl.d file is written when the rules are. */
const afterRules = (step: Step) => step.kind === "WriteFile" && step.path.endsWith(".conf");

it("writes no rule and no set where the kernel refuses a sysctl", async () => {
  const kernel = fakeKernel();
  const written: string[] = [];
  kernel.host.failWhen((step) => {
    if (step.kind === "Run" && step.input !== undefined && !step.input.startsWith("list ")) written.push(step.command);
    return step.kind === "WriteSysctl" && step.key === BACKLOG ? new SysctlError(BACKLOG, "4096", "EINVAL") : undefined;
  });
  await expect(kernel.apply(sample)).rejects.toThrow(SysctlError);
  expect(written).toEqual([]);
});

it("does not report as enforced what somebody undoes before it is read back", async () => {
  const kernel = fakeKernel();
  const { host } = kernel;
  host.failWhen((step) => {
    if (!afterRules(step)) return undefined;
    host.failWhen(() => undefined);
    host.tamper(4, "*mangle\n-F PH-IN\nCOMMIT\n");
    return undefined;
  });
  const failure = kernel.apply(sample);
  await expect(failure).rejects.toThrow(ReadBackError);
  await expect(failure).rejects.toThrow("chain PH-IN (v4) 0 rules for 3");
});

it("does not take a rule that somebody replaced before the read-back for another form of its own", async () => {
  const kernel = fakeKernel();
  await kernel.apply(sample);
  kernel.host.failWhen((step) => {
    if (!afterRules(step)) return undefined;
    const lines = ["*mangle", "-F PH-PRE", '-A PH-PRE -m comment --comment "p/pre/00" -j RETURN', "COMMIT", ""];
    kernel.host.tamper(4, lines.join("\n"));
    return undefined;
  });
  await expect(kernel.apply({ ...sample, sysctls: [equal(BACKLOG, "2048")] })).rejects.toThrow(ReadBackError);
});

it("removes all that it can when a part of clear fails, and says which part did", async () => {
  const kernel = fakeKernel();
  await kernel.apply(sample);
  kernel.host.failWhen((step) =>
    step.kind === "WriteSysctl" && step.key === BACKLOG ? new SysctlError(BACKLOG, "512", "EACCES") : undefined,
  );
  await expect(kernel.clear()).rejects.toThrow(`sysctl ${BACKLOG}=512: EACCES`);
  expect(kernel.host.rules[4].matches("PH-")).toBe(false);
  expect(kernel.host.sets.has("ph-4-office")).toBe(false);
  // The original is still known: a later clear gives it back.
  kernel.host.failWhen(() => undefined);
  await kernel.clear();
  expect(kernel.host.sysctls.get(BACKLOG)).toBe("512");
});

it("watches again after its monitor has died, and stops for good where nft is not installed", async () => {
  const kernel = fakeKernel();
  const ended = new AbortController();
  let told = 0;
  const done = kernel.watch(ended.signal, () => {
    told += 1;
  });
  await expect.poll(() => told).toBe(1);
  kernel.host.monitor.die();
  await expect.poll(() => told).toBe(2);
  ended.abort();
  await done;
  kernel.host.failWhen((step) => (step.kind === "Spawn" ? new ToolMissingError("nft", "nftables") : undefined));
  await expect(kernel.watch(new AbortController().signal, () => {})).rejects.toThrow(ToolMissingError);
});

it("takes only a fresh process of our tools for its own", () => {
  let clock = 0;
  const own = ownProcesses(() => clock);
  own.add(7);
  expect(own.has(7, "iptables-nft-re")).toBe(true);
  expect(own.has(7, "nft")).toBe(true);
  expect(own.has(7, "bash")).toBe(false);
  expect(own.has(8, "iptables-nft-re")).toBe(false);
  clock = 60_000;
  expect(own.has(7, "iptables-nft-re")).toBe(false);
});

it("does nothing, and says so, where nothing is desired and nothing is there", async () => {
  const kernel = fakeKernel();
  kernel.host.failWhen((step) => (step.kind !== "Run" || step.input !== undefined ? new Error("a write") : undefined));
  expect(await kernel.apply(nothing)).toMatchObject({ unchanged: true, differences: [] });
});
