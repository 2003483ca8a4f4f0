import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";

/** Where the proxy passes connections on to. A unix socket crosses network namespaces, so it may lead into a lab. */
export type ProxyTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * What happens to bytes and connections:
 * `pass` forwards; `refuse` resets each new connection (open ones live on); `stall` accepts and keeps open but forwards
 * nothing, in either direction, until the mode changes (then what was held back flows).
 */
export type FaultMode = "pass" | "refuse" | "stall";

/** A plain TCP proxy on loopback that tests break on purpose. */
export interface FaultProxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections accepted so far, refused ones left out. */
  readonly accepted: number;
  setMode(mode: FaultMode): void;
  /** Each chunk, in either direction, arrives this much later. 0 is none. */
  setDelay(milliseconds: number): void;
  /** Resets all open connections; returns how many. New ones are served as the mode says. */
  cut(): number;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1, on `port` or else one that is free. */
export async function faultProxy(options: { readonly to: ProxyTarget; readonly port?: number }): Promise<FaultProxy> {
  let mode: FaultMode = "pass";
  let delayMilliseconds = 0;
  let accepted = 0;
  const links = new Set<Link>();

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    near.on("error", () => near.destroy());
    if (mode === "refuse") {
      near.resetAndDestroy();
      return;
    }
    accepted += 1;
    const link = createLink(near, options.to, () => delayMilliseconds);
    link.stall(mode === "stall");
    links.add(link);
    near.once("close", () => links.delete(link));
  });
  const cut = () => {
    const count = links.size;
    for (const link of links) link.reset();
    links.clear();
    return count;
  };
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return links.size;
    },
    get accepted() {
      return accepted;
    },
    setMode(next) {
      mode = next;
      for (const link of links) link.stall(next === "stall");
    },
    setDelay(milliseconds) {
      delayMilliseconds = milliseconds;
    },
    cut,
    async close() {
      cut();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

interface Link {
  stall(stalled: boolean): void;
  reset(): void;
}

function createLink(near: Socket, to: ProxyTarget, delay: () => number): Link {
  const far = createConnection({ ...to, allowHalfOpen: true });
  const directions = [createDirection(near, far, delay), createDirection(far, near, delay)];
  const reset = () => {
    near.resetAndDestroy();
    far.destroy();
  };
  // An error on one side is what the other side must see; a closed side leaves nothing to forward.
  for (const socket of [near, far]) socket.on("error", reset);
  near.once("close", () => far.destroy());
  far.once("close", () => near.destroySoon());
  return {
    stall(stalled) {
      for (const direction of directions) direction.stall(stalled);
    },
    reset,
  };
}

/** Forwards chunk by chunk, in order, at the pace of the slower side. */
function createDirection(from: Socket, to: Socket, delay: () => number): { stall(stalled: boolean): void } {
  let release: (() => void) | undefined;
  let gate: Promise<void> | undefined;

  const forward = async () => {
    // The end of one direction must not destroy the other.
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      if (delay() > 0) await new Promise((resolve) => setTimeout(resolve, delay()));
      await gate;
      if (to.destroyed) return;
      if (!to.write(chunk)) await Promise.race([once(to, "drain"), once(to, "close")]);
    }
    await gate;
    to.end();
  };
  // A connection that breaks ends its direction; `reset` tells the other side.
  forward().catch(() => to.destroy());

  return {
    stall(stalled) {
      if (stalled) {
        if (gate === undefined) gate = new Promise((resolve) => (release = resolve));
      } else {
        release?.();
        gate = undefined;
      }
    },
  };
}
