import type { LabProcess } from "../test/lab/lab-process.ts";
import type { NetworkNamespace } from "../test/lab/network-namespace.ts";

/** Asks /readyz every few milliseconds, from inside the namespace, and prints when it first said yes. */
const POLLER = `
  const [, url] = process.argv;
  console.log("polling");
  for (;;) {
    const ready = await fetch(url).then((response) => response.ok, () => false);
    if (ready) break;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  console.log("ready at", performance.timeOrigin + performance.now());
`;

/** Milliseconds from the start of `start` until the process it starts answers /readyz with yes on this port. */
export async function timeToReady(
  namespace: NetworkNamespace,
  port: number,
  start: () => Promise<LabProcess>,
): Promise<{ process: LabProcess; milliseconds: number }> {
  const url = `http://127.0.0.1:${port}/readyz`;
  const poller = await namespace.spawn(`poller-${port}-${Date.now()}`, process.execPath, [
    "--input-type=module",
    "-e",
    POLLER,
    url,
  ]);
  try {
    await poller.waitForLog(/polling/, 5_000);
    const from = performance.timeOrigin + performance.now();
    const started = await start();
    const [, at] = await poller.waitForLog(/ready at ([\d.]+)/, 30_000);
    return { process: started, milliseconds: Number(at) - from };
  } finally {
    await poller.kill();
  }
}
