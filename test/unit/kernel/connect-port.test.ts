import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectPort } from "../../../src/kernel/connect-port.ts";

const never = new AbortController().signal;
const loopback = { from: "127.0.0.1", to: "127.0.0.1", timeoutMilliseconds: 2_000, signal: never };

let server: Server;
let port: number;
let heard: Promise<Socket>;

beforeEach(async () => {
  server = createServer().listen(0, "127.0.0.1");
  heard = new Promise((resolve) => server.once("connection", resolve));
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  ({ port } = address);
});
afterEach(() => void server.close());

describe("a connection to a port", () => {
  it("is open where somebody listens, who hears nothing and then the end", async () => {
    expect(await connectPort({ ...loopback, port })).toBe("open");
    const socket = await heard;
    const bytes: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => bytes.push(chunk));
    await once(socket.resume(), "end");
    expect(bytes).toEqual([]);
    socket.destroy();
  });

  it("is refused where nobody listens", async () => {
    server.close();
    await once(server, "close");
    expect(await connectPort({ ...loopback, port })).toBe("refused");
  });

  it("is a fault of our own where the address to connect from is not this node's", async () => {
    await expect(connectPort({ ...loopback, from: "192.0.2.1", port })).rejects.toThrow("EADDRNOTAVAIL");
  });

  it("ends when it is called off", async () => {
    await expect(connectPort({ ...loopback, port, signal: AbortSignal.abort(new Error("off")) })).rejects.toThrow(
      "off",
    );
  });
});
