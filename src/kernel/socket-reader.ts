import { readFileSync } from "node:fs";
import { execa } from "execa";
import type { Connection, ListeningSocket, SocketReader } from "../audit/sockets.ts";
import { parseInetDiag, type TcpSocket } from "./inet-diag.ts";
import { SYSTEM_PATH } from "./local-host.ts";
import { parseProcNet } from "./proc-net.ts";
import { parseSctpEndpoints } from "./sctp-endpoints.ts";

const TIMEOUT_MILLISECONDS = 10_000;
/** 500,000 sockets. */
const OUTPUT_MAXIMUM_BYTES = 64 * 1024 * 1024;

/** TCP_* of include/net/tcp_states.h that listen or wait; UDP counts as established once it is connected. */
const ESTABLISHED = 1;
const LISTEN = 10;
const STATES: Readonly<Record<number, Connection["state"]>> = {
  [ESTABLISHED]: "Established",
  2: "Opening",
  3: "Opening",
  6: "TimeWait",
  12: "Opening",
};

/**
 * Asks the kernel for its TCP sockets in binary, through `ss --diag`: 3 ms of CPU for 500 listeners, as established
 * connections are never walked, and 15 ms for 10,000 connections (docs/architecture.md; /proc/net/tcp and tcp6 take 40 ms for either).
 * Without ss, or where the kernel has no tcp_diag, /proc/net it is. UDP and SCTP are read there always: `ss --diag` knows TCP alone.
 */
export function socketReader({ ss = "ss" }: { readonly ss?: string } = {}): SocketReader {
  return {
    async listening() {
      const tcp = (await askKernel(ss, "listening")) ?? tcpFromProc().filter(({ state }) => state === LISTEN);
      const udp = [...readProc("udp"), ...readProc("udp6")].filter(({ state }) => state !== ESTABLISHED);
      return [...tcp.map(listeningSocket("TCP")), ...udp.map(listeningSocket("UDP")), ...sctpFromProc()];
    },
    async connections() {
      const tcp = (await askKernel(ss, "connected")) ?? tcpFromProc().filter(({ state }) => state !== LISTEN);
      return tcp.map(({ local, remote, state }) => ({ local, remote, state: STATES[state] ?? "Closing" }));
    },
  };
}

function listeningSocket(protocol: "TCP" | "UDP"): (socket: TcpSocket) => ListeningSocket {
  return ({ local, inode, uid }) => ({ protocol, address: local.address, port: local.port, inode, uid });
}

/** Undefined where there is no ss, or no answer of the kernel in what it hands on. */
async function askKernel(ss: string, state: "listening" | "connected"): Promise<TcpSocket[] | undefined> {
  const { stdout, failed } = await execa(ss, ["-t", "-n", "--diag=-", "state", state], {
    extendEnv: false,
    env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
    stdin: "ignore",
    stderr: "ignore",
    reject: false,
    encoding: "buffer",
    maxBuffer: OUTPUT_MAXIMUM_BYTES,
    timeout: TIMEOUT_MILLISECONDS,
    killSignal: "SIGKILL",
  });
  if (failed) return undefined;
  return parseInetDiag(stdout);
}

function tcpFromProc(): TcpSocket[] {
  return [...readProc("tcp"), ...readProc("tcp6")];
}

/** Synchronous: the kernel gives 4 KiB a call, and through the thread pool each would cost ten times as much. */
function readProc(table: "tcp" | "tcp6" | "udp" | "udp6"): TcpSocket[] {
  try {
    return parseProcNet(readFileSync(`/proc/net/${table}`, "latin1"));
  } catch (error) {
    // Without IPv6 there is no tcp6 and no udp6.
    if (table.endsWith("6") && isNothing(error)) return [];
    throw error;
  }
}

function sctpFromProc(): ListeningSocket[] {
  try {
    return parseSctpEndpoints(readFileSync("/proc/net/sctp/eps", "latin1"));
  } catch (error) {
    // A kernel that has no SCTP, or did not load it yet: nobody listens.
    if (isNothing(error)) return [];
    throw error;
  }
}

function isNothing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
