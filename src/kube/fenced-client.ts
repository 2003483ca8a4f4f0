import type { KubeClient } from "./types.ts";

/** This process does not lead any more: what it was about to write is somebody else's to decide. */
export class NotLeaderError extends Error {
  override readonly name = "NotLeaderError";
}

/**
 * `client`, whose writes are refused as soon as `holds` says no. It is asked right before each request, so a process that was
 * stopped and goes on writes nothing. A request that was under way by then meets the resourceVersion that it names; where it
 * names none (address groups), the one who leads sees the change and decides anew.
 */
export function fencedClient(client: KubeClient, holds: () => boolean): KubeClient {
  function fenced<A extends unknown[], R>(write: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (!holds()) throw new NotLeaderError("the lease is lost: nothing is written any more");
      return write(...args);
    };
  }
  return {
    ...client,
    apply: fenced(client.apply),
    create: fenced(client.create),
    replace: fenced(client.replace),
    delete: fenced(client.delete),
  };
}
