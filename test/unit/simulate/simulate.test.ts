import { describe, expect, it } from "vitest";
import { render } from "../../../src/render/render.ts";
import type { RuleSet } from "../../../src/render/types.ts";
import { UnknownFormError } from "../../../src/simulate/errors.ts";
import type { ArrivingPacket, LeavingPacket } from "../../../src/simulate/packet.ts";
import { simulate, simulator, type Verdict } from "../../../src/simulate/simulate.ts";
import { everything } from "../render/everything.ts";
import { logging } from "../render/logging.ts";

const packet: ArrivingPacket = {
  family: 4,
  protocol: "tcp",
  source: "203.0.113.9",
  destination: "198.18.0.11",
  destinationPort: 8443,
  destinationType: "LOCAL",
  in: "eth0",
};
const rendered = render(everything);

/** Rules of PREROUTING, and of further chains. */
function rules(prerouting: readonly string[], chains: Readonly<Record<string, readonly string[]>> = {}): RuleSet {
  const own = Object.entries(chains).map(([name, texts]) => ({ name, rules: texts }));
  return {
    tables: [{ family: 4, name: "mangle", chains: own, hooks: [{ chain: "PREROUTING", rules: prerouting }] }],
    sets: [{ name: "ph-4-a", family: 4, entries: ["198.51.100.0/24", "203.0.113.9"] }],
    sysctls: [],
  };
}

function verdict(ruleSet: RuleSet, changes: Partial<ArrivingPacket> = {}): string {
  return simulate(ruleSet, { ...packet, ...changes }).verdict;
}

describe("following a packet", () => {
  it("leaves by RETURN to the last jump, however many gotos lie between", () => {
    const chains = { "PH-A": ["-g PH-B", "-j DROP"], "PH-B": ["-g PH-C", "-j DROP"], "PH-C": ["-j RETURN", "-j DROP"] };
    expect(verdict(rules(["-j PH-A"], chains))).toBe("Passed");
    expect(verdict(rules(["-j PH-A", "-j DROP"], chains))).toBe("Dropped");
  });

  it("goes on behind a jump where the chain ends, but not behind a goto", () => {
    expect(verdict(rules(["-j PH-A"], { "PH-A": ["-j PH-B", "-j DROP"], "PH-B": ["-p udp -j DROP"] }))).toBe("Dropped");
    expect(verdict(rules(["-j PH-A"], { "PH-A": ["-g PH-B", "-j DROP"], "PH-B": ["-p udp -j DROP"] }))).toBe("Passed");
  });

  it("looks at IPv6 rules for IPv6 packets alone", () => {
    expect(verdict(rules(["-j DROP"]), { family: 6, source: "2001:db8::9", destination: "2001:db8::1" })).toBe(
      "Passed",
    );
  });

  it("ends a loop of chains instead of following it for ever", () => {
    expect(() => verdict(rules(["-j PH-A"], { "PH-A": ["-g PH-A"] }))).toThrow(/loop/);
  });
});

describe("matches", () => {
  const matching: readonly (readonly [string, Partial<ArrivingPacket>, Partial<ArrivingPacket>])[] = [
    ["-p udp", { protocol: "udp" }, {}],
    ["-i eth+", { in: "eth" }, { in: "et" }],
    ["-i eth0", { in: "eth0" }, { in: "eth00" }],
    ["-p tcp -m multiport --dports 80,8000:8443,9100", { destinationPort: 8443 }, { destinationPort: 8444 }],
    ["-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", { syn: true }, { syn: false }],
    ["-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", { syn: false }, { syn: true }],
    ["-m set --match-set ph-4-a src", { source: "198.51.100.255" }, { source: "198.51.101.0" }],
    ["-m set --match-set ph-4-a dst", { destination: "203.0.113.9" }, { destination: "203.0.113.8" }],
    ["-m addrtype --dst-type LOCAL", {}, { destinationType: "UNICAST" }],
    ["-m conntrack --ctstate NEW", {}, { state: "ESTABLISHED" }],
    ["-m conntrack ! --ctstate RELATED,ESTABLISHED", { state: "UNTRACKED" }, { state: "RELATED" }],
    ["-m conntrack --ctdir REPLY", { state: "ESTABLISHED", direction: "REPLY" }, { state: "ESTABLISHED" }],
    ["-m conntrack --ctorigdst 198.18.0.0/15", {}, { destination: "198.20.0.1" }],
  ];

  it.each(matching)("%s", (match, met, missed) => {
    expect(verdict(rules([`${match} -j DROP`]), met)).toBe("Dropped");
    expect(verdict(rules([`${match} -j DROP`]), missed)).toBe("Passed");
  });

  it("takes an untracked packet by its state alone, as xt_conntrack does", () => {
    const untracked = { state: "UNTRACKED" } as const;
    expect(verdict(rules(["-m conntrack ! --ctstate RELATED --ctdir REPLY -j DROP"]), untracked)).toBe("Dropped");
    expect(verdict(rules(["-m conntrack --ctdir ORIGINAL -j DROP"]), untracked)).toBe("Passed");
  });
});

describe("a packet that leaves", () => {
  const leaving: LeavingPacket = {
    family: 4,
    protocol: "tcp",
    source: "198.18.0.11",
    destination: "198.51.100.1",
    destinationPort: 443,
    destinationType: "UNICAST",
    out: "eth0",
  };
  /** A rule in filter OUTPUT, where packets that arrive do not come by. */
  const output = (rule: string): RuleSet => {
    const hooks = [{ chain: "OUTPUT", rules: [rule] }];
    const tables = rules([]).tables.map((table) => Object.assign({}, table, { name: String("filter"), hooks }));
    return { ...rules([]), tables };
  };

  it.each([
    ["-o eth+", { out: "wan0" }],
    ["-m set --match-set ph-4-a dst", { destination: "192.0.2.1" }],
    ["-m addrtype --src-type LOCAL", { sourceType: "UNICAST" }],
    ["-m addrtype ! --dst-type LOCAL", { destinationType: "LOCAL" }],
  ] as const)("is judged in OUTPUT: %s", (match, missed) => {
    const rule = `${match} -j DROP`;
    expect(simulate(output(rule), leaving).verdict).toBe("Dropped");
    expect(simulate(output(rule), { ...leaving, ...missed }).verdict).toBe("Passed");
    expect(simulate(output(rule), { ...packet, destinationType: "UNICAST" }).verdict).toBe("Passed");
  });
});

describe("limits", () => {
  it.each([
    "-m set ! --match-set ph-4-a dst -m hashlimit --hashlimit-above 5/sec --hashlimit-name ph-1 --hashlimit-srcmask 0",
    "-m conntrack --ctstate NEW ! --ctstatus CONFIRMED -m connlimit --connlimit-above 9 --connlimit-mask 32 --connlimit-saddr",
  ])("are not exceeded, but named: %s", (match) => {
    const limited = rules([`${match} -m comment --comment "p/slow/1" -j DROP`]);
    const { verdict: passed, mayBeLimitedBy } = simulate(limited, packet);
    expect([passed, mayBeLimitedBy.map(({ entry }) => entry)]).toEqual(["Passed", ["slow"]]);
  });
});

describe("what it does not know", () => {
  it.each([
    "-p icmp -j DROP",
    "-p tcp -m multiport --sports 80 -j DROP",
    "-m mark --mark 0x1000 -j DROP",
    "-s 203.0.113.0/24 -j DROP",
    "-m conntrack --ctstate SNAT -j DROP",
    "-m set --match-set ph-4-other src -j DROP",
    "-m set --match-set ph-4-a src,dst -j DROP",
    "-m hashlimit --hashlimit-upto 10/min -j DROP",
    "-m limit --limit 5/sec --limit-burst 5 -j DROP",
    "-j SET --add-set ph-4-a src,src",
    "--ctstate NEW -j DROP",
    "-j ACCEPT",
    "-j PH-NOWHERE",
    "-p tcp",
    "-p tcp -j DROP now",
  ])("is refused, not guessed: %s", (text) => {
    expect(() => verdict(rules([text]))).toThrow(UnknownFormError);
  });

  it("is refused also where the packet would not get there", () => {
    expect(() => verdict(rules(["-j DROP"], { "PH-A": ["-m mark --mark 0x1 -j DROP"] }))).toThrow(UnknownFormError);
    const [table] = rules([]).tables;
    if (table === undefined) throw new Error("fixture without table");
    const hooks = [{ chain: "FORWARD", rules: ["-j DROP"] }];
    expect(() => verdict({ ...rules([]), tables: [{ ...table, hooks }] })).toThrow(UnknownFormError);
  });
});

describe("rendered rules", () => {
  it("decide the same, by the same entries, where drops are logged", () => {
    const logged = simulator(render(logging));
    const strangers = { ...packet, source: "192.0.2.200" };
    const packets = [
      packet,
      { ...packet, source: "198.51.100.7" },
      strangers,
      { ...strangers, protocol: "udp" as const },
    ];
    const said = ({ verdict: outcome, decidedBy, mayBeLimitedBy }: Verdict) =>
      [outcome, ...[decidedBy, ...mayBeLimitedBy].map((one) => `${one?.policy}/${one?.entry}`)].join(" ");
    for (const one of packets) expect(said(logged(one))).toBe(said(simulate(rendered, one)));
    expect(new Set(packets.map((one) => logged(one).verdict))).toEqual(new Set(["Passed", "Dropped"]));
  });

  it("names the entry that let a packet pass, and the limits that count it", () => {
    const { verdict: passed, decidedBy, mayBeLimitedBy } = simulate(rendered, packet);
    expect([passed, decidedBy?.policy, decidedBy?.entry]).toEqual(["Passed", "workers", "office"]);
    expect(mayBeLimitedBy.map(({ policy, entry }) => `${policy}/${entry}`)).toEqual([
      "edge/fast",
      "workers/all",
      "edge/standing-all",
    ]);
  });

  it("names the entry that dropped a packet, which no limit counts", () => {
    const { verdict: dropped, decidedBy, mayBeLimitedBy } = simulate(rendered, { ...packet, source: "198.51.100.3" });
    expect([dropped, decidedBy?.entry, mayBeLimitedBy]).toEqual(["Dropped", "blocklist", []]);
  });

  it("judges a service address that leads to the node a second time, on the port behind it", () => {
    const service = { ...packet, source: "192.0.2.1", destination: "10.96.0.1", destinationType: "UNICAST" } as const;
    const leads = (destinationPort: number, toNode = true) =>
      simulate(rendered, {
        ...service,
        destinationPort: 80,
        translation: { destination: "198.18.0.11", destinationPort, toNode },
      }).verdict;
    expect([leads(8444), leads(80), leads(8444, false)]).toEqual(["Dropped", "Passed", "Passed"]);
  });

  it("says nothing of packets at which no rule looks", () => {
    expect(simulate(render({ ...everything, inbound: [], rateLimits: [] }), packet)).toEqual({
      verdict: "Passed",
      decidedBy: undefined,
      mayBeLimitedBy: [],
      observed: [],
    });
  });
});
