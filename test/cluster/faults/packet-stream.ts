/**
 * Sends UDP from many addresses until its standard input ends, then says what came back, as JSON: first packets, each from a
 * socket of its own, and packets of flows that it opened at its start. An echo must answer.
 *   node packet-stream.ts ADDRESS PORT SOURCE...
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** A first packet. Times in milliseconds by the clock that all processes share (CLOCK_MONOTONIC). */
export interface FirstPacketSent {
  readonly source: string;
  readonly from: number;
  /** When the kernel had taken it. */
  to: number;
  echoed: boolean;
}

export interface Streamed {
  readonly first: readonly FirstPacketSent[];
  /** Packets of flows that were open before. */
  readonly flows: { readonly sent: number; readonly echoed: number };
}

const PAUSE_MILLISECONDS = 2;
const FLOW_PAUSE_MILLISECONDS = 20;
/** An echo takes microseconds; a machine under load may take its time. */
const ANSWER_MILLISECONDS = 4_000;

const [address = "", port = "", ...sources] = process.argv.slice(2);
const now = () => Number(process.hrtime.bigint()) / 1e6;
let stopped = false;
process.stdin.once("end", () => {
  stopped = true;
});
process.stdin.resume();

/** From the first port that needs no right up, each once: one that was used before belongs to a flow that conntrack knows. */
const FIRST_PORT = 1_024;
const PORTS = 65_536 - FIRST_PORT;

async function bound(source: string, port: number) {
  const socket = createSocket("udp4");
  // A rejection comes as an error: no echo, as with a drop.
  socket.on("error", () => undefined);
  socket.bind(port, source);
  await once(socket, "listening");
  return socket;
}

const first: FirstPacketSent[] = [];
const flows = { sent: 0, echoed: 0 };

async function sendFirst(source: string, localPort: number): Promise<void> {
  const socket = await bound(source, localPort);
  const packet: FirstPacketSent = { source, from: now(), to: Number.POSITIVE_INFINITY, echoed: false };
  first.push(packet);
  socket.once("message", () => {
    packet.echoed = true;
    socket.close();
  });
  socket.send("first", Number(port), address, () => {
    packet.to = now();
  });
  setTimeout(() => {
    if (!packet.echoed) socket.close();
  }, ANSWER_MILLISECONDS);
}

async function speak(source: string): Promise<void> {
  const socket = await bound(source, FIRST_PORT);
  const waiting = new Set<string>();
  socket.on("message", (text) => {
    if (waiting.delete(String(text))) flows.echoed += 1;
  });
  for (let sequence = 0; !stopped; sequence += 1) {
    waiting.add(`${sequence}`);
    flows.sent += 1;
    socket.send(`${sequence}`, Number(port), address);
    // So that the first is known of before anything changes.
    if (sequence === 0) await once(socket, "message");
    await wait(FLOW_PAUSE_MILLISECONDS);
  }
  await wait(ANSWER_MILLISECONDS);
  socket.close();
}

const talks = sources.map(speak);
while (flows.echoed < sources.length) await wait(PAUSE_MILLISECONDS);
process.stdout.write("streaming\n");
for (let turn = 0; !stopped; turn += 1) {
  const source = sources[turn % sources.length];
  // The first is that of the flow.
  const localPort = FIRST_PORT + 1 + (Math.floor(turn / sources.length) % (PORTS - 1));
  if (source !== undefined) await sendFirst(source, localPort);
  await wait(PAUSE_MILLISECONDS);
}
await Promise.all(talks);
await wait(ANSWER_MILLISECONDS);
process.stdout.write(`${JSON.stringify({ first, flows } satisfies Streamed)}\n`);
