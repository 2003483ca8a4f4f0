import { join } from "node:path";
import { describe } from "vitest";
import { linuxKernel } from "../../../src/kernel/linux-kernel.ts";
import { describeKernel } from "./contract.ts";
import { openNamespace } from "./namespace-host.ts";

describe("linuxKernel in a network namespace", () => {
  describeKernel(() => {
    const { host, folder, exec, close } = openNamespace();
    const [stateDir, sysctlDir] = [join(folder, "state"), join(folder, "sysctl.d")];
    return {
      host,
      stateFile: join(stateDir, "originals.json"),
      sysctlFile: join(sysctlDir, "99-port-hardening.conf"),
      start: (through = host) => linuxKernel({ host: through, stateDir, sysctlDir }),
      async send(count) {
        const each = `for i in $(seq ${count}); do echo >/dev/udp/127.0.0.1/9; echo >/dev/udp/::1/9; done`;
        exec("bash", "-c", each);
      },
      close,
    };
  });
});
