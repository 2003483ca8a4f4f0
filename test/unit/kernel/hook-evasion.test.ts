import { describe, expect, it } from "vitest";
import { findEvasion } from "../../../src/kernel/hook-evasion.ts";
import { parseSavedRules } from "../../../src/kernel/saved-rules.ts";
import type { JudgedTraffic, TableName } from "../../../src/render/types.ts";

const TAG = "-m comment --comment port-hardening";
const OURS = { PREROUTING: `${TAG} -j PH-PRE`, INPUT: `${TAG} -j PH-INPUT`, OUTPUT: `${TAG} -j PH-OUT` };
type HookChain = keyof typeof OURS;
const tableOf = (chain: HookChain): TableName => (chain === "OUTPUT" ? "filter" : "mangle");

const scope = {
  policy: "workers",
  protocols: ["TCP", "UDP"],
  ports: [{ from: 1024, to: 65535 }],
  interfaces: { include: [], exclude: [] },
  trustsCluster: true,
} as const;
const judges: JudgedTraffic = {
  scopes: [scope],
  failsafes: [
    { name: "dns", protocol: "UDP", ports: [{ from: 53, to: 53 }], peers: "Everybody" },
    { name: "vxlan", protocol: "UDP", ports: [{ from: 4789, to: 4789 }], peers: "Nodes" },
  ],
  trusted: ["ph-4-pods", "ph-4-nodes"],
  pods: ["ph-4-pods"],
  vips: true,
};
const SETS: Readonly<Record<string, readonly string[]>> = {
  "ph-4-pods": ["198.18.64.0/24"],
  "ph-4-nodes": ["198.18.0.11"],
};

/** A table as saved, with rules as `CHAIN rule`; every chain that a rule stands in is declared, and Calico's empty ones. */
function table(name: string, rules: readonly string[]): string {
  const chains = new Set(["PREROUTING", "INPUT", "OUTPUT", ...rules.map((rule) => rule.split(" ")[0] ?? "")]);
  for (const [, called = ""] of rules.join("\n").matchAll(/-[jg] (cali-\S+)/g)) chains.add(called);
  return [`*${name}`, ...[...chains].map((chain) => `:${chain} - [0:0]`), ...rules.map((rule) => `-A ${rule}`)].join(
    "\n",
  );
}

interface Node {
  readonly chain?: HookChain;
  /** Of the hook's table, ahead of ours. */
  readonly ahead: readonly string[];
  readonly behind?: readonly string[];
  readonly other?: Readonly<Record<string, readonly string[]>>;
  readonly judged?: JudgedTraffic;
}

function evasion({ chain = "PREROUTING", ahead, behind = [], other = {}, judged = judges }: Node) {
  const own = table(tableOf(chain), [...ahead, `${chain} ${OURS[chain]}`, ...behind]);
  const others = Object.entries(other).map(([name, rules]) => table(name, rules));
  const saved = parseSavedRules("iptables-nft-save", [...others, own].join("\n"));
  return findEvasion(saved, { table: tableOf(chain), chain, judges: judged, addresses: (set) => SETS[set] });
}

/** As these agents install them, read from published dumps of their nodes. */
const CALICO = {
  hook: 'PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING',
  chain: [
    'cali-PREROUTING -m comment --comment "cali:6BJqBjBC7crtA-7-" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    'cali-PREROUTING -m comment --comment "cali:KX7AGNd6rMcDUai6" -m mark --mark 0x10000/0x10000 -j ACCEPT',
    'cali-PREROUTING -m comment --comment "cali:wNH7KsA3ILKJBsY9" -j cali-from-host-endpoint',
    'cali-PREROUTING -m comment --comment "cali:Cg96MgVuoPm7UMRo" -m comment --comment "Host endpoint policy accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT',
  ],
  raw: [
    'PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING',
    'cali-PREROUTING -m comment --comment "cali:XFX5xbM8B9qR10JG" -j MARK --set-xmark 0x0/0xf0000',
    'cali-PREROUTING -i cali+ -m comment --comment "cali:EWMPb0zVROM-woQp" -j MARK --set-xmark 0x40000/0x40000',
    'cali-PREROUTING -m comment --comment "cali:2" -m mark --mark 0x40000/0x40000 -m rpfilter --validmark --invert -j DROP',
    'cali-PREROUTING -m comment --comment "cali:3" -m mark --mark 0x10000/0x10000 -j ACCEPT',
  ],
} as const;

describe("what common agents put ahead of ours is no way past", () => {
  it("Calico without host endpoints: what it accepts is established, or carries a mark that nothing sets", () => {
    expect(evasion({ ahead: [CALICO.hook, ...CALICO.chain], other: { raw: CALICO.raw } })).toBeUndefined();
  });

  it("Calico's overlay and forwarded workloads in OUTPUT", () => {
    const ahead = [
      "OUTPUT -j cali-OUTPUT",
      'cali-OUTPUT -m comment --comment "cali:Mq1_rAdXXH3YkrzW" -m mark --mark 0x10000/0x10000 -j ACCEPT',
      'cali-OUTPUT -o cali+ -m comment --comment "cali:M2Wf0OehNdig8MHR" -j RETURN',
      'cali-OUTPUT -p udp -m comment --comment "Allow IPv4 VXLAN packets to other allowed hosts" -m multiport --dports 4789 -m addrtype --src-type LOCAL -m set --match-set cali40all-vxlan-net dst -j ACCEPT',
      "cali-OUTPUT -p ipencap -m set --match-set cali40all-hosts-net dst -m addrtype --src-type LOCAL -j ACCEPT",
      "cali-OUTPUT -j MARK --set-xmark 0x0/0xf0000",
      "cali-OUTPUT -m conntrack ! --ctstate DNAT -j cali-to-host-endpoint",
      "cali-OUTPUT -m comment --comment accepted -m mark --mark 0x10000/0x10000 -j ACCEPT",
    ];
    expect(evasion({ chain: "OUTPUT", ahead })).toBeUndefined();
  });

  it("kube-router, which accepts what goes to a pod or comes from one", () => {
    const pod = "198.18.64.5/32";
    const ahead = [
      'OUTPUT -m comment --comment "kube-router netpol - VEAAIY32XVBHCSCY" -j KUBE-ROUTER-OUTPUT',
      `KUBE-ROUTER-OUTPUT -s ${pod} -m comment --comment "rule to jump traffic from POD" -j KUBE-POD-FW-A`,
      `KUBE-ROUTER-OUTPUT -d ${pod} -m comment --comment "rule to jump traffic destined to POD" -j KUBE-POD-FW-A`,
      'KUBE-ROUTER-OUTPUT -m comment --comment "rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT',
      "KUBE-POD-FW-A -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "KUBE-POD-FW-A -m conntrack --ctstate INVALID -j DROP",
      `KUBE-POD-FW-A -d ${pod} -m addrtype --src-type LOCAL -j ACCEPT`,
      "KUBE-POD-FW-A -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable",
      "KUBE-POD-FW-A -j MARK --set-xmark 0x0/0x10000",
      "KUBE-POD-FW-A -j MARK --set-xmark 0x20000/0x20000",
    ];
    expect(evasion({ chain: "OUTPUT", ahead })).toBeUndefined();
    const strict = { ...judges, scopes: [{ ...scope, trustsCluster: false }] };
    expect(evasion({ chain: "OUTPUT", ahead, judged: strict })?.rule).toContain("KUBE-POD-FW-A -d 198.18.64.5/32");
  });

  it("Cilium, whose marks come from elsewhere", () => {
    const mangle = [
      'PREROUTING -m comment --comment "cilium-feeder: CILIUM_PRE_mangle" -j CILIUM_PRE_mangle',
      "CILIUM_PRE_mangle ! -o lo -m socket --transparent -j MARK --set-xmark 0x200/0xffffffff",
      "CILIUM_PRE_mangle -p tcp -m mark --mark 0x8d0b0200 -j TPROXY --on-port 2957 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xffffffff",
    ];
    expect(evasion({ ahead: mangle })).toBeUndefined();
    const filter = [
      'OUTPUT -m comment --comment "cilium-feeder: CILIUM_OUTPUT" -j CILIUM_OUTPUT',
      'CILIUM_OUTPUT -m mark --mark 0xa00/0xe00 -m comment --comment "cilium: ACCEPT for proxy traffic" -j ACCEPT',
      "CILIUM_OUTPUT -m mark ! --mark 0xe00/0xf00 -m mark ! --mark 0xa00/0xe00 -j MARK --set-xmark 0xc00/0xf00",
    ];
    expect(evasion({ chain: "OUTPUT", ahead: filter, other: { mangle } })).toBeUndefined();
  });

  it("NodeLocal DNS, which takes its server out of conntrack and lets its replies go", () => {
    const [dns, tagged] = ["169.254.20.10/32", '-m comment --comment "NodeLocal DNS Cache: allow DNS traffic"'];
    const raw = [
      `OUTPUT -s ${dns} -p tcp -m tcp --sport 53 -j CT --notrack`,
      `PREROUTING -d ${dns} -p udp -m udp --dport 53 -j CT --notrack`,
    ];
    const ahead = [
      `OUTPUT -s ${dns} -p udp -m udp --sport 53 ${tagged} -j ACCEPT`,
      `OUTPUT -s ${dns} -p tcp -m tcp --sport 53 ${tagged} -j ACCEPT`,
    ];
    expect(evasion({ chain: "OUTPUT", ahead, other: { raw } })).toBeUndefined();
    expect(
      evasion({ ahead: ["PREROUTING -m conntrack --ctstate UNTRACKED -j ACCEPT"], other: { raw } }),
    ).toBeUndefined();
  });

  it("kube-proxy and kubelet, which accept nothing in OUTPUT", () => {
    const ahead = [
      'OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      "OUTPUT -j KUBE-FIREWALL",
      "KUBE-SERVICES -d 198.19.0.9/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable",
      "KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
    ];
    expect(evasion({ chain: "OUTPUT", ahead })).toBeUndefined();
  });
});

describe("a way past", () => {
  it("is a rule ahead of ours that accepts, named with its chain and with the policies that it evades", () => {
    expect(evasion({ ahead: ["PREROUTING -p tcp -j ACCEPT"] })).toEqual({
      ahead: "-p tcp -j ACCEPT",
      rule: "PREROUTING -p tcp -j ACCEPT",
      policies: ["workers"],
    });
  });

  it("is found in the chains that a jump leads to", () => {
    const ahead = ["PREROUTING -j A", "A -p udp -g B", "B -m conntrack --ctstate NEW -j ACCEPT"];
    expect(evasion({ ahead })).toMatchObject({ ahead: "-j A", rule: "B -m conntrack --ctstate NEW -j ACCEPT" });
  });

  it("is Calico with a host endpoint policy that is applied before DNAT", () => {
    const endpoint = [
      "cali-from-host-endpoint -i eth0 -g cali-fh-eth0",
      "cali-fh-eth0 -p tcp -m multiport --dports 8443 -j MARK --set-xmark 0x10000/0x10000",
    ];
    const found = evasion({ ahead: [CALICO.hook, ...CALICO.chain, ...endpoint], other: { raw: CALICO.raw } });
    expect(found?.rule).toContain("Host endpoint policy accepted packet.");
  });

  it("is what a rule in raw marks, or takes out of conntrack, and one ahead of ours accepts for it", () => {
    const marked = "PREROUTING -m mark --mark 0x1/0x1 -j ACCEPT";
    expect(evasion({ ahead: [marked] })).toBeUndefined();
    expect(
      evasion({ ahead: [marked], other: { raw: ["PREROUTING -p tcp -j MARK --set-xmark 0x1/0xffffffff"] } }),
    ).toBeDefined();
    const untracked = "PREROUTING -m conntrack --ctstate UNTRACKED -j ACCEPT";
    expect(
      evasion({ ahead: [untracked], other: { raw: ["PREROUTING -p udp --dport 5000 -j NOTRACK"] } }),
    ).toBeDefined();
  });

  it.each(["-j NFQUEUE --queue-num 0", "-j SOMETHING", "-p tcp -j TPROXY --on-port 1 --tproxy-mark 0x0/0x0"])(
    "may be any target that is not known to let packets go on: %s",
    (rule) => expect(evasion({ ahead: [`PREROUTING ${rule}`] })).toBeDefined(),
  );

  it("is judged by what the policies judge", () => {
    const past = (rule: string) => evasion({ ahead: [`PREROUTING ${rule} -j ACCEPT`] }) !== undefined;
    expect(
      ["-p tcp -m tcp --dport 8443", "-s 192.0.2.0/24", "-i eth0", "! -i lo", "-p udp -m udp --dport 4789"].map(past),
    ).toEqual([true, true, true, true, true]);
    expect(
      [
        "-p tcp -m tcp --dport 22",
        "-p icmp",
        "-i lo",
        "-s 198.18.0.11/32",
        "-p tcp -m tcp --tcp-flags SYN,ACK ACK",
        "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN",
        "-p sctp",
        "-m conntrack --ctdir REPLY",
        "-m conntrack ! --ctstate NEW",
        "-p udp -m udp --dport 4789 -m set --match-set nodes src",
      ].filter(past),
    ).toEqual([]);
  });

  it("is none behind a rule that ends the journey of all", () => {
    const dead = ["PREROUTING -j A", "A -m conntrack ! --ctstate RELATED,ESTABLISHED -j RETURN", "A -j ACCEPT"];
    expect(evasion({ ahead: dead })).toBeUndefined();
    expect(evasion({ ahead: ["PREROUTING -p tcp -j DROP", "PREROUTING -j ACCEPT"] })?.rule).toBe(
      "PREROUTING -j ACCEPT",
    );
  });

  it("is none where the hook judges nothing new", () => {
    expect(evasion({ ahead: ["PREROUTING -j ACCEPT"], judged: { ...judges, scopes: [] } })).toBeUndefined();
  });

  it("is none behind ours, or where only chains of ours are called", () => {
    expect(evasion({ ahead: [], behind: ["PREROUTING -j ACCEPT"] })).toBeUndefined();
    expect(evasion({ ahead: ["PREROUTING -j PH-OTHER", "PH-OTHER -j ACCEPT"] })).toBeUndefined();
  });

  it("in INPUT and OUTPUT counts what was rewritten to another destination, in PREROUTING not yet", () => {
    const rule = "-m conntrack --ctstate DNAT -j ACCEPT";
    const found = (["PREROUTING", "INPUT", "OUTPUT"] as const).map((chain) =>
      evasion({ chain, ahead: [`${chain} ${rule}`] }),
    );
    expect(found.map((one) => one !== undefined)).toEqual([false, true, true]);
  });

  it("is taken for one where there are too many rules to follow", () => {
    const width = 40;
    const chains = Array.from({ length: 5 }, (_, depth) =>
      Array.from({ length: width }, () => `C${depth} -m statistic --mode random -j C${depth + 1}`),
    ).flat();
    const started = performance.now();
    expect(evasion({ ahead: ["PREROUTING -j C0", ...chains, "C5 -j DROP"] })).toBeDefined();
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
