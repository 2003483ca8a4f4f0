import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RestoreError, ToolError, ToolMissingError } from "../../../src/kernel/errors.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import { localHost } from "../../../src/kernel/local-host.ts";
import { type Namespace, openNamespace } from "./namespace-host.ts";
import { nothing, sample, sampleTable } from "./samples.ts";

let namespace: Namespace;
let kernel: Kernel;
beforeEach(() => {
  namespace = openNamespace();
  const { host, folder } = namespace;
  kernel = linuxKernel({ host, stateDir: folder, sysctlDir: join(folder, "sysctl.d") });
});
afterEach(() => namespace.close());

const rulesOnly = (...extra: string[]) => ({ ...sample, tables: [sampleTable(4, extra), sampleTable(6)], sysctls: [] });

it("takes a rule that iptables prints in another form, and then finds nothing that differs", async () => {
  const otherForm = rulesOnly("-p tcp --dport 80:80 -m comment --comment p.x -j RETURN", "-s 192.0.2.1 -j RETURN");
  await kernel.apply(otherForm);
  expect(await kernel.verify(otherForm, "Full")).toEqual([]);
  expect((await kernel.apply(otherForm)).unchanged).toBe(true);
  namespace.exec("iptables-nft", "-t", "mangle", "-R", "PH-IN", "3", "-j", "RETURN");
  expect(await kernel.verify(otherForm, "Full")).toHaveLength(1);
  await kernel.apply(otherForm);
  expect(namespace.exec("iptables-nft-save", "-t", "mangle")).toContain('--dport 80 -m comment --comment "p.x"');
});

it("tells the words of the kernel where it refuses what iptables accepted", async () => {
  const overflow =
    "-m hashlimit --hashlimit-above 1/day --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name ph-x -j DROP";
  const failure = await kernel.apply(rulesOnly(overflow)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RestoreError);
  expect(failure).toMatchObject({
    words: "RULE_APPEND failed (Numerical result out of range): rule in chain PH-IN",
    rule: `-A PH-IN ${overflow}`,
  });
  expect(namespace.exec("iptables-nft-save", "-t", "mangle")).not.toContain("PH-");
});

it("says so where a table holds what iptables cannot read, instead of finding it empty", async () => {
  await kernel.apply(rulesOnly());
  namespace.exec("nft", "add chain ip mangle foreign; add rule ip mangle foreign ct state { new, established } accept");
  const failure = kernel.verify(rulesOnly(), "Headers");
  await expect(failure).rejects.toThrow(ToolError);
  await expect(failure).rejects.toThrow("Table `mangle' is incompatible, use 'nft' tool.");
});

it("tells the versions, and whether conntrack is active", async () => {
  const facts = await kernel.facts();
  expect(facts).toMatchObject({ backend: "iptables-nft", conntrackActive: false });
  expect(facts.iptablesVersion).toMatch(/^1\.\d+\.\d+$/);
  expect(facts.kernelVersion).toMatch(/^\d+\.\d+/);
});

it("names the package of a tool that is missing", async () => {
  const without = linuxKernel({
    host: localHost({ path: namespace.folder }),
    stateDir: namespace.folder,
    sysctlDir: namespace.folder,
  });
  await expect(without.facts()).rejects.toThrow(ToolMissingError);
  await expect(without.apply(nothing)).rejects.toThrow(/install the package (iptables|ipset)/);
  const watch = without.watch(new AbortController().signal, () => {});
  await expect(watch).rejects.toThrow("nft is not installed: install the package nftables");
});
