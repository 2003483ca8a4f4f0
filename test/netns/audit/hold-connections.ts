/** Listens on some ports and connects to itself on them, says so, and holds it all until stdin ends. */
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";

const [listeners = 0, connections = 0, firstPort = 20_000] = process.argv.slice(2).map(Number);
const AT_ONCE = 100;

const accepted: Socket[] = [];
for (let index = 0; index < listeners; index += 1) {
  const server = createServer((socket) => {
    accepted.push(socket.on("error", () => undefined));
  });
  await once(server.listen({ port: firstPort + index, host: "0.0.0.0", backlog: 1024 }), "listening");
}
for (let made = 0; made < connections; made += AT_ONCE) {
  const batch = Array.from({ length: Math.min(AT_ONCE, connections - made) }, (_, index) =>
    once(createConnection({ port: firstPort + ((made + index) % listeners), host: "127.0.0.1" }), "connect"),
  );
  await Promise.all(batch);
}
process.stdout.write(`listening on ${listeners}, connected ${connections}\n`);
process.stdin.on("end", () => process.exit(0)).resume();
