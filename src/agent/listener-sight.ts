import { observeLocalPorts } from "../audit/connections/local-ports.ts";
import type { HostView } from "../audit/host-view.ts";
import { type Listeners, type ListenerWatch, listenerWatch } from "../audit/listeners/listener-watch.ts";
import type { SocketReader } from "../audit/sockets.ts";

/** Who listens on the node, again and again; what only passes by is left out. */
export interface ListenerSight {
  observe(): Promise<Listeners>;
  /** The process of every socket is looked for anew the next time. */
  forget(): void;
}

/**
 * A UDP socket on a port that the kernel hands out is mostly a resolver's and gone in a moment: it counts when it is seen
 * for the second time. So a node that resolves many names does not report listeners that come and go all day.
 */
export function listenerSight(host: HostView, sockets: SocketReader): ListenerSight {
  let watch: ListenerWatch | undefined;
  let before: ReadonlySet<number> | undefined;
  return {
    async observe() {
      watch ??= listenerWatch(host, sockets);
      const { all, unreadable } = await watch.observe();
      const localPorts = await observeLocalPorts(host);
      const known = before;
      before = new Set(all.map(({ inode }) => inode));
      const stays = all.filter(
        ({ protocol, port, inode }) =>
          protocol === "TCP" || known === undefined || known.has(inode) || localPorts?.holds(port) !== true,
      );
      return { all: stays, unreadable };
    },
    forget() {
      watch = undefined;
    },
  };
}
