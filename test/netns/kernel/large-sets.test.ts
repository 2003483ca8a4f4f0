import { join } from "node:path";
import { expect, it } from "vitest";
import type { Host } from "../../../src/kernel/host.ts";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import type { RuleSet } from "../../../src/render/types.ts";
import { openNamespace } from "./namespace-host.ts";
import { office4, office6, sample } from "./samples.ts";

it("writes one entry, not 100,000, where one has changed", async () => {
  const { host, folder, exec, close } = openNamespace();
  try {
    const inputs: string[] = [];
    const observed: Host = {
      ...host,
      run(command, args, options) {
        if (options.input !== undefined) inputs.push(options.input);
        return host.run(command, args, options);
      },
    };
    const kernel = linuxKernel({ host: observed, stateDir: folder, sysctlDir: join(folder, "sysctl.d") });
    const entries = Array.from({ length: 100_000 }, (_, n) => `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`);
    const withOffice = (office: string[]): RuleSet => ({
      ...sample,
      sets: [office4(office), office6([])],
      sysctls: [],
    });
    await kernel.apply(withOffice(entries));
    inputs.length = 0;
    const result = await kernel.apply(withOffice([...entries.slice(1), "203.0.113.9"]));
    expect(result.differences).toEqual(["set ph-4-office 2 of 100000 entries"]);
    expect(inputs.filter((input) => !input.startsWith("list "))).toEqual([
      "add ph-4-office 203.0.113.9\ndel ph-4-office 198.18.0.0\n",
    ]);
    expect(exec("ipset", "list", "-t", "ph-4-office")).toContain("Number of entries: 100000");
    // Most of it is reading the set to know what differs; the bound is wide for a busy machine.
    expect(result.milliseconds).toBeLessThan(3_000);
  } finally {
    close();
  }
});
