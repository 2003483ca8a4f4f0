import { describe, expect, it } from "vitest";
import { DEFAULT_FAILSAFES } from "../../../src/plan/failsafes.ts";
import { type FoundFact, factsBehind, withFound } from "../../../src/plan/found-failsafes.ts";
import { judge } from "../../../src/plan/judge.ts";
import { merge } from "../../../src/plan/merge.ts";
import type { Failsafe } from "../../../src/plan/node-plan.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { Protocol } from "../../../src/plan/types.ts";
import { assigned } from "./policies.ts";

const ssh = (port: number): FoundFact => ({ kind: "SshListener", port, evidence: "/usr/sbin/sshd listens (pid 812)" });
const api = (address: string, port = 6443): FoundFact => ({ kind: "ApiServer", port, address, evidence: "kubelet" });
const resolver = (address: string): FoundFact => ({
  kind: "Resolver",
  port: 853,
  address,
  evidence: "/etc/resolv.conf",
});

const foundIn = (failsafes: readonly Failsafe[]) => failsafes.filter(({ origin }) => origin === "Found");
const withFacts = (...facts: FoundFact[]) => withFound(DEFAULT_FAILSAFES, facts);

describe("what a node shows", () => {
  it("adds nothing where the install's failsafes have it already", () => {
    expect(withFacts(ssh(22))).toEqual(DEFAULT_FAILSAFES);
  });

  it("opens the SSH server's other ports to everybody, below and above 1024", () => {
    expect(foundIn(withFacts(ssh(22), ssh(222), ssh(22022)).inbound)).toEqual([
      {
        name: "found-ssh",
        protocol: "TCP",
        ports: [
          { from: 222, to: 222 },
          { from: 22022, to: 22022 },
        ],
        peers: "Everybody",
        origin: "Found",
      },
    ]);
  });

  it("leads to the API server's own address alone, and opens nothing to anybody else", () => {
    const { inbound, outbound } = withFacts(api("203.0.113.10"), api("2001:db8::10"));
    expect(foundIn(inbound)).toEqual([]);
    expect(foundIn(outbound)).toEqual([
      {
        name: "found-api-server-6443",
        protocol: "TCP",
        ports: [{ from: 6443, to: 6443 }],
        peers: ["2001:db8::10/128", "203.0.113.10/32"],
        origin: "Found",
      },
    ]);
  });

  it("lets nodes use an unusual port of API servers with each other", () => {
    const { inbound, outbound } = withFacts(api("203.0.113.10", 8443));
    const port = { name: "found-api-server-port", ports: [{ from: 8443, to: 8443 }], peers: "Nodes" };
    expect(foundIn(inbound)).toMatchObject([port]);
    expect(foundIn(outbound)).toMatchObject([port, { name: "found-api-server-8443" }]);
  });

  it("leads to its resolvers by DNS over TLS", () => {
    expect(foundIn(withFacts(resolver("9.9.9.9")).outbound)).toMatchObject([
      { name: "found-dns-over-tls", ports: [{ from: 853, to: 853 }], peers: ["9.9.9.9/32"] },
    ]);
  });

  it("is the same whatever the order in which it was found", () => {
    const facts = [ssh(2222), api("203.0.113.10"), api("203.0.113.11", 8443), resolver("9.9.9.9"), ssh(22022)];
    const merged = (order: readonly FoundFact[]) =>
      merge([closed], [], { ...DEFAULT_NODE_SETTINGS, failsafes: withFound(DEFAULT_FAILSAFES, order) });
    expect(merged(facts.toReversed())).toEqual(merged(facts));
  });

  it("stands behind each failsafe that comes of it", () => {
    const facts = [ssh(2222), api("203.0.113.10", 8443), api("203.0.113.11"), resolver("9.9.9.9")];
    const { inbound, outbound } = withFound(DEFAULT_FAILSAFES, facts);
    for (const { name } of [...foundIn(inbound), ...foundIn(outbound)])
      expect(factsBehind(name, facts), name).not.toEqual([]);
    expect(factsBehind("found-api-server-8443", facts)).toEqual([facts[1]]);
    expect(factsBehind("found-api-server-port", facts)).toEqual([facts[1], facts[2]]);
  });
});

const closed = assigned(
  {
    firewall: {
      inbound: { ports: ["1-65535"], protocols: ["TCP", "UDP"], trustCluster: false },
      outbound: { ports: ["1-65535"], protocols: ["TCP", "UDP"], trustCluster: false },
    },
  },
  "closed",
);

describe("a policy that refuses everything", () => {
  const facts = [ssh(22022), api("203.0.113.10", 7443), resolver("9.9.9.9")];
  const plan = merge([closed], [], { ...DEFAULT_NODE_SETTINGS, failsafes: withFound(DEFAULT_FAILSAFES, facts) });
  const passes = (direction: "Inbound" | "Outbound", peer: string, port: number, protocol: Protocol = "TCP") =>
    judge(plan).refusal({ direction, peer, port, protocol, family: peer.includes(":") ? 6 : 4, local: "" }, "eth0") ===
    undefined;

  it("cannot take away what was found", () => {
    expect(passes("Inbound", "198.51.100.9", 22022)).toBe(true);
    expect(passes("Outbound", "203.0.113.10", 7443)).toBe(true);
    expect(passes("Outbound", "9.9.9.9", 853)).toBe(true);
  });

  it("is obeyed on everything beside it", () => {
    expect(passes("Inbound", "198.51.100.9", 22023)).toBe(false);
    expect(passes("Inbound", "198.51.100.9", 22022, "UDP")).toBe(false);
    expect(passes("Inbound", "203.0.113.10", 7443)).toBe(false);
    expect(passes("Outbound", "203.0.113.11", 7443)).toBe(false);
    expect(passes("Outbound", "203.0.113.10", 853)).toBe(false);
    expect(passes("Outbound", "2001:db8::10", 7443)).toBe(false);
  });
});

describe("a deny that reaches for a failsafe", () => {
  const warnings = (deny: object) => {
    const policy = assigned({ firewall: { inbound: { ports: ["1-65535"], deny: [{ name: "bad", ...deny }] } } }, "p");
    const failsafes = withFound(DEFAULT_FAILSAFES, [ssh(22022)]);
    return merge([policy], [], { ...DEFAULT_NODE_SETTINGS, failsafes }).warnings;
  };

  it("is told of, with the ports on which it has no effect", () => {
    expect(warnings({ ports: [22, "22000-22100"] })).toEqual([
      {
        policy: "p",
        reason: "DenySparesFailsafe",
        message:
          'inbound: deny "bad" has no effect on TCP 22 (failsafe "ssh"), TCP 22022 (failsafe "found-ssh"): ' +
          "failsafes pass before any policy",
      },
    ]);
  });

  it("is told of nowhere else", () => {
    expect(warnings({ ports: [8443, 10250] })).toEqual([]);
    expect(warnings({ ports: [22], protocols: ["UDP"] })).toEqual([]);
  });
});
