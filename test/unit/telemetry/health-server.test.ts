import { Gauge, Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { type HealthServer, startHealthServer } from "../../../src/telemetry/health-server.ts";
import { createRegistry } from "../../../src/telemetry/registry.ts";

const servers: HealthServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(ready: () => string[] = () => []) {
  const registry = createRegistry({ component: "test", version: "1.2.3" });
  const server = await startHealthServer({ host: "127.0.0.1", port: 0, ready, registry });
  servers.push(server);
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { status: response.status, body: await response.text(), type: response.headers.get("content-type") };
  };
  return { server, registry, get };
}

describe("startHealthServer", () => {
  it("answers /healthz while it is not ready", async () => {
    const { get } = await start(() => ["not synced"]);
    expect(await get("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
  });

  it("answers /readyz with 503 and every reason until there is none", async () => {
    let reasons = ["node state not read yet", "address groups not read yet"];
    const { get } = await start(() => reasons);
    expect(await get("/readyz")).toMatchObject({
      status: 503,
      body: "node state not read yet\naddress groups not read yet\n",
    });
    reasons = [];
    expect(await get("/readyz")).toMatchObject({ status: 200, body: "ok\n" });
  });

  it("serves the registry in Prometheus' text format, with the process and the build", async () => {
    const { get } = await start();
    const metrics = await get("/metrics");
    expect(metrics.status).toBe(200);
    expect(metrics.type).toContain("text/plain");
    expect(metrics.body).toContain("process_resident_memory_bytes");
    expect(metrics.body).toMatch(/port_hardening_build_info\{component="test",version="1\.2\.3",node_version="v\d+/);
  });

  it("measures what is measured on demand before it answers", async () => {
    const registry = new Registry();
    const gauge = new Gauge({ name: "demand", help: "on demand", registers: [registry] });
    const collect = async () => gauge.inc();
    const server = await startHealthServer({ host: "127.0.0.1", port: 0, ready: () => [], registry, collect });
    servers.push(server);
    const get = async () => (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    expect(await get()).toContain("demand 1");
    expect(await get()).toContain("demand 2");
  });

  it("answers 500 with the reason where a collector throws, and lives on", async () => {
    const { get, registry } = await start();
    new Gauge({
      name: "broken",
      help: "throws",
      registers: [registry],
      collect: () => {
        throw new Error("no such file");
      },
    });
    expect(await get("/metrics")).toMatchObject({ status: 500, body: "no such file\n" });
    expect(await get("/healthz")).toMatchObject({ status: 200 });
  });

  it("refuses other paths and other methods", async () => {
    const { get } = await start();
    expect(await get("/")).toMatchObject({ status: 404 });
    expect(await get("/healthz", { method: "POST" })).toMatchObject({ status: 405 });
  });

  it("rejects where the port is taken", async () => {
    const { server, registry } = await start();
    await expect(
      startHealthServer({ host: "127.0.0.1", port: server.port, ready: () => [], registry }),
    ).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("closes with a client still connected, and frees the port", async () => {
    const { server, registry, get } = await start();
    await get("/healthz");
    servers.length = 0;
    await server.close();
    const next = await startHealthServer({ host: "127.0.0.1", port: server.port, ready: () => [], registry });
    servers.push(next);
    expect(next.port).toBe(server.port);
  });
});
