/** HTTP on 8080 of all addresses and 8081 of loopback, HTTPS on 8443, by the key and certificate in the arguments; prints who connects. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server } from "node:net";

const [, , key = "", certificate = ""] = process.argv;
const answer = (_: unknown, response: { end(text: string): void }) => response.end("hello");
const servers: readonly [Server, number, string][] = [
  [createServer(answer), 8080, "0.0.0.0"],
  [createServer(answer), 8081, "127.0.0.1"],
  [createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer), 8443, "0.0.0.0"],
];
for (const [server, port, address] of servers) {
  server.on("connection", () => console.log(`connected ${port}`));
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
}
console.log("listening");
