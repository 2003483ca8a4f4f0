import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { nodeProbes } from "../../../src/kernel/node-probes.ts";

/** Other runs on this machine have others. */
const dnsServer = `127.86.${(process.pid >> 8) & 255}.${process.pid & 255}`;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The probes of a node with these servers in its resolv.conf. */
async function probe(resolv: string, apiServer?: { host: string; port: number }) {
  const host = {
    readFile: async (path: string) => (path === "etc/resolv.conf" ? resolv : undefined),
    run: async () => ({ stdout: "" }),
  };
  return nodeProbes({ host, apiServer, resolverFiles: ["run/none", "etc/resolv.conf"] });
}

it("passes where an API server takes a new connection, and not where nobody listens", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  closing.push(() => server.close());
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  const [one] = await probe("", { host: "127.0.0.1", port: address.port });
  expect(one?.name).toBe(`API server 127.0.0.1:${address.port}`);
  expect(await one?.passes(5_000)).toBe(true);
  server.close();
  await once(server, "close");
  expect(await one?.passes(5_000)).toBe(false);
});

it("passes where a DNS server answers anything, and not where it is silent", async () => {
  let answers = true;
  const server = createSocket("udp4");
  // As a server that refuses to answer for the name: any word from it shows that it is reached.
  server.on("message", (query, { port, address }) => {
    const refusal = Buffer.from(query);
    refusal.writeUInt16BE(0x8185, 2);
    if (answers) server.send(refusal, port, address);
  });
  server.bind(53, dnsServer);
  closing.push(() => server.close());
  await once(server, "listening");
  const dns = (await probe(`nameserver ${dnsServer}\n`)).find(({ name }) => name === `DNS server ${dnsServer}`);
  expect(await dns?.passes(5_000)).toBe(true);
  answers = false;
  expect(await dns?.passes(500)).toBe(false);
});
