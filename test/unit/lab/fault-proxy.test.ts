import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { type FaultProxy, faultProxy } from "../../lab/fault-proxy.ts";

let proxy: FaultProxy;

beforeEach(async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  proxy = await faultProxy({ to: { host: "127.0.0.1", port: (echo.address() as AddressInfo).port } });
  return async () => {
    await proxy.close();
    echo.close();
  };
});

async function connect(): Promise<Socket> {
  const socket = createConnection({ host: "127.0.0.1", port: proxy.port });
  onTestFinished(() => void socket.destroy());
  socket.setEncoding("utf8");
  await once(socket, "connect");
  return socket;
}

/** Waits until it is closed; the error that closed it. */
function closing(socket: Socket): Promise<string | undefined> {
  let code: string | undefined;
  socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
  return new Promise((resolve) => socket.once("close", () => resolve(code)));
}

/** What comes back for `text`, or undefined for nothing in time. */
async function echo(socket: Socket, text: string, milliseconds = 2_000): Promise<string | undefined> {
  socket.write(text);
  const data = once(socket, "data", { signal: AbortSignal.timeout(milliseconds) });
  return data.then(
    ([received]) => received,
    () => undefined,
  );
}

it("passes bytes on, in both directions, to the end", async () => {
  const socket = await connect();
  let received = "";
  socket.on("data", (text) => (received += text));
  const sent = "0123456789".repeat(100_000);
  socket.end(sent);
  await once(socket, "end");
  expect(received === sent).toBe(true);
  expect(proxy.accepted).toBe(1);
});

it("refuses new connections and keeps the old", async () => {
  const old = await connect();
  expect(await echo(old, "a")).toBe("a");
  proxy.setMode("refuse");
  const refused = createConnection({ host: "127.0.0.1", port: proxy.port });
  const [error] = await once(refused, "error").catch((thrown) => [thrown]);
  expect(error).toMatchObject({ code: "ECONNRESET" });
  expect(await echo(old, "b")).toBe("b");
});

it("stalls, and lets flow what it held back", async () => {
  const socket = await connect();
  proxy.setMode("stall");
  expect(await echo(socket, "a", 100)).toBeUndefined();
  const late = once(socket, "data");
  proxy.setMode("pass");
  expect(await late).toEqual(["a"]);
});

it("stalls connections that are made while it stalls", async () => {
  proxy.setMode("stall");
  const socket = await connect();
  expect(await echo(socket, "a", 100)).toBeUndefined();
});

it("delays", async () => {
  const socket = await connect();
  proxy.setDelay(80);
  const started = performance.now();
  expect(await echo(socket, "a")).toBe("a");
  expect(performance.now() - started).toBeGreaterThan(150);
});

it("cuts what is open and serves what comes next", async () => {
  const [one, two] = [await connect(), await connect()];
  await Promise.all([echo(one, "a"), echo(two, "a")]);
  const closed = Promise.all([one, two].map(closing));
  expect(proxy.cut()).toBe(2);
  expect(await closed).toEqual(["ECONNRESET", "ECONNRESET"]);
  expect(await echo(await connect(), "b")).toBe("b");
});

it("closes with connections open, also stalled ones", async () => {
  proxy.setMode("stall");
  const socket = await connect();
  socket.write("a");
  await sleep(10);
  const closed = closing(socket);
  await proxy.close();
  expect(await closed).toBe("ECONNRESET");
  expect(proxy.open).toBe(0);
});
