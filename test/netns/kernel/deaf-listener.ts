/** Listens on the port in its argument, takes every connection and never says a word. */
import { createServer } from "node:net";

createServer((socket) => void socket.on("error", () => undefined)).listen(Number(process.argv[2]), "0.0.0.0");
