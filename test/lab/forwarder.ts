import { join } from "node:path";
import { type FaultProxy, faultProxy } from "./fault-proxy.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

let forwarders = 0;

/**
 * Opens a way from this machine's loopback to `to` inside a namespace: 127.0.0.1:<free port> -> unix socket -> a process
 * in the namespace -> `to`. It is a fault proxy, so tests can break it. Closes with `close`, at the latest with the lab.
 */
export async function forwardInto(
  namespace: NetworkNamespace,
  to: { readonly host: string; readonly port: number },
): Promise<FaultProxy> {
  forwarders += 1;
  const path = join(namespace.folder, `forward-${forwarders}.sock`);
  const script = join(import.meta.dirname, "forwarder-far-end.ts");
  const farEnd = await namespace.spawn(`forwarder-${forwarders}`, process.execPath, [
    script,
    path,
    to.host,
    `${to.port}`,
  ]);
  await farEnd.waitForLog(/listening/, 10_000);
  const proxy = await faultProxy({ to: { path } });
  return {
    ...proxy,
    get open() {
      return proxy.open;
    },
    get accepted() {
      return proxy.accepted;
    },
    async close() {
      await proxy.close();
      await farEnd.kill();
    },
  };
}
