import { describe } from "vitest";
import { fakeKernel } from "../../../src/kernel/fake-kernel.ts";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import { memoryHost } from "../../../src/kernel/memory-host.ts";
import { describeKernel } from "../../netns/kernel/contract.ts";

describe("fakeKernel", () => {
  describeKernel(() => {
    const host = memoryHost();
    return {
      host,
      stateFile: "/state/originals.json",
      sysctlFile: "/sysctl.d/99-port-hardening.conf",
      start: (through) =>
        through === undefined
          ? fakeKernel({ host })
          : linuxKernel({ host: through, stateDir: "/state", sysctlDir: "/sysctl.d" }),
      async send(count) {
        host.rules[4].count(count);
        host.rules[6].count(count);
      },
      close() {},
    };
  });
});
