import { asciiLine } from "./ascii.ts";
import { converse } from "./converse.ts";
import { hintFor } from "./hint.ts";
import type { Service, TlsSeen } from "./service.ts";
import type { Answer, Conversation, Patience, Step } from "./step.ts";

/** A TCP connection as a probe needs it; `kernel/` makes it. After `startTls` succeeded, `send` goes through TLS. */
export interface ProbeConnection {
  send(bytes: Uint8Array): void;
  /** What arrived since the last call, or the next that does. */
  receive(
    forMilliseconds: number,
  ): Promise<{ kind: "Bytes"; bytes: Uint8Array } | { kind: "Silence" } | { kind: "Closed" }>;
  startTls(
    forMilliseconds: number,
  ): Promise<{ kind: "Tls"; tls: TlsSeen } | { kind: "NoTls"; bytes: Uint8Array; reason: string }>;
  /** Bytes on the wire so far, those of TLS included. */
  readonly sent: number;
  readonly received: number;
  close(): void;
}

/** Throws where no connection stands in time. */
export type OpenConnection = (to: {
  readonly address: string;
  readonly port: number;
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
}) => Promise<ProbeConnection>;

export interface ProbeTarget {
  /** As the listener is bound; for every address (`0.0.0.0`, `::`) loopback is asked. */
  readonly address: string;
  readonly port: number;
  /** Name of the process, where known. */
  readonly process?: string;
}

/** What a probe cost the listener. */
export interface ProbeCost {
  readonly connections: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly milliseconds: number;
}

export type ProbeResult =
  | { readonly kind: "Answered"; readonly service: Service; readonly cost: ProbeCost }
  | { readonly kind: "NotReached"; readonly reason: string; readonly cost: ProbeCost };

interface ProbeSettings {
  readonly open: OpenConnection;
  readonly patience: Patience;
  /** Ms, monotonic. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Carries one conversation out. Does not throw: what it cannot reach it says. */
export async function probeListener(target: ProbeTarget, settings: ProbeSettings): Promise<ProbeResult> {
  const { patience, now, signal } = settings;
  const started = now();
  const cost = { connections: 0, bytesSent: 0, bytesReceived: 0 };
  const total = () => {
    line.hangUp();
    return { ...cost, milliseconds: now() - started };
  };
  const bound = AbortSignal.any([signal, AbortSignal.timeout(patience.totalMilliseconds)]);
  const line = connectionLine(target, { ...settings, signal: bound }, cost);
  try {
    const service = await carryOut(converse(hintFor(target), patience), line.carryOut, bound);
    return { kind: "Answered", service, cost: total() };
  } catch (error) {
    const late = bound.aborted && !signal.aborted;
    const why = error instanceof Error ? error.message : String(error);
    const reason = late ? `came to no end within ${patience.totalMilliseconds} ms` : asciiLine(why);
    return { kind: "NotReached", reason, cost: total() };
  }
}

async function carryOut(
  conversation: Conversation,
  perform: (step: Step) => Promise<Answer>,
  signal: AbortSignal,
): Promise<Service> {
  let turn = conversation.next();
  while (turn.done !== true) {
    signal.throwIfAborted();
    turn = conversation.next(await perform(turn.value));
  }
  return turn.value;
}

/** One connection after the other. */
function connectionLine(
  { address, port }: ProbeTarget,
  { open, patience, signal }: ProbeSettings,
  cost: { connections: number; bytesSent: number; bytesReceived: number },
) {
  let connection: ProbeConnection | undefined;
  const hangUp = () => {
    if (connection === undefined) return;
    cost.bytesSent += connection.sent;
    cost.bytesReceived += connection.received;
    connection.close();
    connection = undefined;
  };
  const connect = async (): Promise<Answer> => {
    hangUp();
    const timeoutMilliseconds = patience.connectMilliseconds;
    try {
      connection = await openOneOf(reachable(address), (it) =>
        open({ address: it, port, timeoutMilliseconds, signal }),
      );
    } catch (error) {
      // The first one decides whether there is a listener; a server that takes no second one has been heard already.
      if (cost.connections === 0) throw error;
      return { kind: "Closed" };
    }
    cost.connections += 1;
    return { kind: "Connected" };
  };
  const carryOut = async (step: Step): Promise<Answer> => {
    if (step.kind === "Connect") return connect();
    if (connection === undefined) return { kind: "Closed" };
    if (step.kind === "StartTls") return connection.startTls(step.forMilliseconds);
    if (step.kind === "Send") connection.send(step.bytes);
    return connection.receive(step.forMilliseconds);
  };
  return { carryOut, hangUp };
}

/**
 * Loopback for a listener on every address: our rules never touch it, and MySQL and fail2ban count nothing against it. The
 * IPv6 one may be missing where IPv6 is switched off; a socket of both families then answers on the other.
 */
function reachable(address: string): readonly string[] {
  if (address === "0.0.0.0") return ["127.0.0.1"];
  return address === "::" ? ["::1", "127.0.0.1"] : [address];
}

async function openOneOf<T>([first, ...others]: readonly string[], open: (address: string) => Promise<T>): Promise<T> {
  if (first === undefined) throw new Error("no address is left");
  try {
    return await open(first);
  } catch (error) {
    if (others.length === 0 || !isNoAddress(error)) throw error;
    return openOneOf(others, open);
  }
}

function isNoAddress(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(?:EADDRNOTAVAIL|ENETUNREACH)$/.test(String(error.code));
}
