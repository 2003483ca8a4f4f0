import { createSocket, type SocketType } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6 } from "node:net";
import type { Protocol } from "./protocol.ts";

/** Sends back what it gets on each of the ports, over both families unless `host` names one address. */
export async function listenEcho(options: {
  readonly protocol: Protocol;
  readonly ports: readonly number[];
  readonly host?: string;
}): Promise<() => void> {
  const { protocol, ports, host } = options;
  const one = (port: number) => (protocol === "tcp" ? [listenTcp(port, host)] : listenUdp(port, host));
  const closers = await Promise.all(ports.flatMap(one));
  return () => {
    for (const close of closers) close();
  };
}

async function listenTcp(port: number, host = "::"): Promise<() => void> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen({ port, host, backlog: 4096 });
  await once(server, "listening");
  return () => server.close();
}

function listenUdp(port: number, host?: string): Promise<() => void>[] {
  const bind = async (type: SocketType, address: string) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    // An answer that nobody waits for any more comes back as an error; the socket stays good.
    socket.on("error", () => undefined);
    socket.on("message", (data, { port: replyPort, address: replyTo }) => socket.send(data, replyPort, replyTo));
    const bound = once(socket, "listening");
    socket.bind({ port, address });
    await bound;
    return () => void socket.close();
  };
  if (host !== undefined) return [bind(isIPv6(host) ? "udp6" : "udp4", host)];
  return [bind("udp4", "0.0.0.0"), bind("udp6", "::")];
}
