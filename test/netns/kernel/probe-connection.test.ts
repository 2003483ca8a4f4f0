import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../../lab/certificates.ts";
import type { Host } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import { probe } from "../../lab/probe.ts";
import { waitFor } from "../../lab/wait-for.ts";

let lab: Lab;
let host: Host;

const at = (port: number) => ({ address: "127.0.0.1", port });
const echoPort = 7007;
/** Ports of `openssl s_server`, by what it is told. */
const tlsServers: Readonly<Record<number, readonly string[]>> = {
  8443: ["-tls1_3"],
  8444: ["-tls1_2"],
  8445: ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"],
  8446: ["-tls1_2", "-Verify", "1"],
  8447: ["-tls1_2", "-psk_hint", "x", "-nocert", "-psk", "00", "-cipher", "PSK"],
};

beforeAll(async () => {
  lab = await createLab();
  host = await lab.node("node");
  await (await host.traffic()).listen("tcp", [echoPort]);
  const { key, certificate } = await createAuthority(lab.folder);
  for (const [port, options] of Object.entries(tlsServers)) {
    const files = options.includes("-nocert") ? [] : ["-key", key, "-cert", certificate];
    await host.spawn(`tls-${port}`, "openssl", ["s_server", "-accept", port, ...files, ...options, "-www"]);
  }
  // Takes connections, and never accepts or answers one.
  await host.spawn("deaf", process.execPath, [join(import.meta.dirname, "deaf-listener.ts"), "7008"]);
  await waitFor(
    "all servers",
    async () => {
      const { stdout } = await host.exec("ss", ["-Hltn"]);
      return [...Object.keys(tlsServers), "7007", "7008"].every((port) => stdout.includes(`:${port} `)) || undefined;
    },
    { timeoutMilliseconds: 20_000 },
  );
});
afterAll(() => lab.close());

async function services(ports: readonly number[]) {
  const results = await probe(host, ports.map(at));
  return results.map((result) => (result.kind === "Answered" ? result.service : result));
}

describe("a probe over a real socket", () => {
  it("sees the version that a TLS server has, however old, and its certificate", async () => {
    const certificate = { subject: "CN=port-hardening-lab", selfSigned: true, notAfter: expect.any(Number) };
    expect(await services([8443, 8444, 8445])).toMatchObject([
      { protocol: "TLS", tls: { version: "TLSv1.3", cipher: expect.stringMatching(/^TLS_/), certificate } },
      { protocol: "TLS", tls: { version: "TLSv1.2", certificate } },
      { protocol: "TLS", tls: { version: "TLSv1.1", certificate } },
    ]);
  });

  it("sees the certificate of a server that insists on one of ours, and TLS where there is none to see", async () => {
    expect(await services([8446, 8447])).toMatchObject([
      { protocol: "TLS", tls: { version: "TLSv1.2", certificate: { subject: "CN=port-hardening-lab" } } },
      { protocol: "TLS", detail: expect.stringMatching(/^refuses our handshake: /) },
    ]);
  });

  it("does not take an echo for TLS", async () => {
    expect(await services([echoPort])).toMatchObject([{ protocol: "Unknown" }]);
  });

  it("comes to an end with a server that never answers, and leaves no connection behind", async () => {
    const patient = { bannerMilliseconds: 100, answerMilliseconds: 100, handshakeMilliseconds: 100 };
    const [unknown, late] = [
      ...(await probe(host, [at(7008)], patient)),
      ...(await probe(host, [at(7008)], { ...patient, answerMilliseconds: 60_000, totalMilliseconds: 500 })),
    ];
    expect(unknown).toMatchObject({ kind: "Answered", service: { protocol: "Unknown" }, cost: { connections: 4 } });
    expect(late).toMatchObject({
      kind: "NotReached",
      reason: "came to no end within 500 ms",
      cost: { connections: 2 },
    });
    expect(late?.cost.milliseconds).toBeLessThan(2_000);
    const { stdout } = await host.exec("ss", ["-Htn", "state", "established", "dport = :7008"]);
    expect(stdout).toBe("");
  });

  it("says where nothing listens", async () => {
    expect(await services([9])).toMatchObject([
      { kind: "NotReached", reason: expect.stringContaining("ECONNREFUSED") },
    ]);
  });
});
