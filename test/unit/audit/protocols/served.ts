import { asBytes } from "../../../../src/audit/protocols/ascii.ts";
import type { OpenConnection } from "../../../../src/audit/protocols/probe.ts";

export const SSH = "SSH-2.0-x\r\n";

/** Connections to servers that greet, by port; a port without a greeting refuses. `asked` receives each address and port. */
export function served(greetings: Readonly<Record<number, string>>, asked: string[] = []): OpenConnection {
  return async ({ address, port }) => {
    asked.push(`${address} ${port}`);
    const greeting = greetings[port];
    if (greeting === undefined) throw new Error("connect ECONNREFUSED");
    return {
      send: () => undefined,
      receive: async () => ({ kind: "Bytes", bytes: asBytes(greeting) }),
      startTls: async () => ({ kind: "NoTls", bytes: new Uint8Array(), reason: "closed" }),
      sent: 0,
      received: 0,
      close: () => undefined,
    };
  };
}
