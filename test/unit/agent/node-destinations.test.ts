import { describe, expect, it } from "vitest";
import { observeApiServers, observeResolvers } from "../../../src/agent/node-destinations.ts";
import { nodeSight } from "../../../src/agent/node-sight.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { hostView } from "../audit/recorded-host.ts";

const kubeletFile = (server: string) =>
  `apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: AAAA\n    server: ${server}\n  name: c\n`;
const names: Readonly<Record<string, readonly string[]>> = { "api.example.org": ["203.0.113.11", "203.0.113.10"] };
const resolve = async (name: string) => {
  const known = names[name];
  if (known === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
  return known;
};
const places = async (files: Readonly<Record<string, string>>, agents?: string) =>
  (await observeApiServers(hostView({ files }), agents, resolve)).map(({ address, port }) => `${address} ${port}`);

describe("API servers in use", () => {
  it("are the agent's own", async () => {
    expect(await places({}, "https://10.96.0.1:443")).toEqual(["10.96.0.1 443"]);
    expect(await places({}, "https://[2001:db8::1]:6443")).toEqual(["2001:db8::1 6443"]);
    expect(await places({})).toEqual([]);
  });

  it.each(["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig"])("are the kubelet's, of %s", async (path) => {
    const found = await places({ [path]: kubeletFile("https://203.0.113.10:8443") }, "https://10.96.0.1");
    expect(found).toEqual(["203.0.113.10 8443", "10.96.0.1 443"]);
  });

  it("are all addresses of a name, in the same order however it is answered", async () => {
    const found = await places({ "/etc/kubernetes/kubelet.conf": kubeletFile('"https://api.example.org:6443"') });
    expect(found).toEqual(["203.0.113.10 6443", "203.0.113.11 6443"]);
  });

  it("are none on loopback (k3s has a balancer of its own there)", async () => {
    const path = "/var/lib/rancher/k3s/agent/kubelet.kubeconfig";
    expect(await places({ [path]: kubeletFile("https://127.0.0.1:6444") })).toEqual([]);
  });

  it("are not known where a name is not to be resolved: nothing is forgotten for that", async () => {
    const files = { "/etc/kubernetes/kubelet.conf": kubeletFile("https://gone.example.org:6443") };
    await expect(places(files, "https://10.96.0.1")).rejects.toThrow("ENOTFOUND");
  });
});

describe("resolvers", () => {
  it("are those of resolv.conf, and behind systemd-resolved's stub its own", async () => {
    const files = {
      "/etc/resolv.conf": "# stub\nnameserver 127.0.0.53\noptions edns0\n",
      "/run/systemd/resolve/resolv.conf": "nameserver 192.0.2.53\nnameserver fe80::1%eth0\nnameserver bogus\n",
    };
    const found = await observeResolvers(hostView({ files }));
    expect(found.map(({ address, evidence }) => [address, evidence])).toEqual([
      ["192.0.2.53", "/run/systemd/resolve/resolv.conf"],
      ["fe80::1", "/run/systemd/resolve/resolv.conf"],
    ]);
  });
});

describe("a look at the node", () => {
  const sight = (ask: () => Promise<readonly string[]>, clock = { now: 0 }) =>
    nodeSight({
      host: hostView({ files: { "/etc/resolv.conf": "nameserver 192.0.2.53\n" } }),
      sockets: { listening: async () => [], connections: async () => [] },
      apiServer: "https://api.example.org:6443",
      resolve: ask,
      log: createLogger({ name: "agent", level: "fatal" }),
      now: () => clock.now,
    });

  it("ends without what takes too long, and has the rest", async () => {
    const seen = await sight(() => new Promise(() => undefined)).look();
    expect([...seen.keys()]).toEqual(["SshListener", "Resolver"]);
  });

  it("asks for a name once in five minutes", async () => {
    let asked = 0;
    const clock = { now: 0 };
    const { look } = sight(async () => {
      asked += 1;
      return ["203.0.113.10"];
    }, clock);
    await look();
    await look();
    expect(asked).toBe(1);
    clock.now += 300_001;
    await look();
    expect(asked).toBe(2);
  });
});
