/** What a test and the traffic process inside a namespace say to each other: one JSON object a line, over stdio. */

/** What can be listened on. */
export type Protocol = "tcp" | "udp";

/** One connection to try. Addresses are literals, IPv4 or IPv6. */
export interface Attempt {
  readonly to: string;
  readonly port: number;
  /**
   * Default tcp. For udp "connected" means that the echo came back; for sctp that whoever got the INIT answered it, also
   * that it speaks no SCTP (sctp needs `from`).
   */
  readonly protocol?: Protocol | "sctp";
  /** Source address and port; absent: the kernel chooses. */
  readonly from?: string;
  readonly fromPort?: number;
  /** UDP to a broadcast address; any host's answer counts. */
  readonly broadcast?: boolean;
}

export interface AttemptResult {
  /** `failed` is neither an answer nor silence: `error` says what (EADDRINUSE, ENETUNREACH, EPERM, ...). */
  readonly outcome: "connected" | "refused" | "timeout" | "failed";
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly milliseconds: number;
  readonly error?: string;
}

/** `echoed`: what was sent came back in time. `silent`: it did not. `closed`: the other side or the kernel ended it. */
export type Exchange = "echoed" | "silent" | "closed";

export interface Calls {
  listen: { params: { protocol: Protocol; ports: readonly number[]; host?: string }; result: { listener: number } };
  unlisten: { params: { listener: number }; result: null };
  connect: {
    params: { attempts: readonly Attempt[]; timeoutMilliseconds: number; concurrency: number };
    result: readonly AttemptResult[];
  };
  open: { params: { attempt: Attempt; timeoutMilliseconds: number }; result: AttemptResult & { connection?: number } };
  exchange: { params: { connection: number; timeoutMilliseconds: number }; result: Exchange };
  release: { params: { connection: number }; result: null };
}

export type Method = keyof Calls;
export interface Request<M extends Method = Method> {
  readonly id: number;
  readonly method: M;
  readonly params: Calls[M]["params"];
}
export type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };
