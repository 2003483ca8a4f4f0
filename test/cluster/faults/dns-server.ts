/** A DNS server that refuses every name: any word from it shows that it is reached. Says when it listens. */
import { createSocket } from "node:dgram";

const server = createSocket("udp4");
server.on("message", (query, { port, address }) => {
  const refusal = Buffer.from(query);
  refusal.writeUInt16BE(0x8185, 2);
  server.send(refusal, port, address);
});
server.bind(53, () => console.log("listening"));
