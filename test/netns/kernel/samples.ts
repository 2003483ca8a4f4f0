import type { AddressSet, Family } from "../../../src/plan/node-plan.ts";
import { rejectTable } from "../../../src/render/reject.ts";
import type { Chain, RuleSet, SysctlSetting, Table } from "../../../src/render/types.ts";

export const RANGE = "net.ipv4.ip_local_port_range";
export const RESERVED = "net.ipv4.ip_local_reserved_ports";
export const BACKLOG = "net.ipv4.tcp_max_syn_backlog";

export const equal = (key: string, value: string): SysctlSetting => ({ key, value, match: "Equal", persist: true });
export const contains = (value: string): SysctlSetting => ({ key: RESERVED, value, match: "Contains", persist: true });

export const JUMP = "-m conntrack ! --ctstate RELATED,ESTABLISHED -m comment --comment port-hardening -j PH-PRE";

/** Two chains, one set and one hook in each family; `PH-IN` counts UDP datagrams in its first rule. */
export function sampleTable(family: Family, extra: readonly string[] = []): Table {
  const chains: Chain[] = [
    { name: "PH-PRE", rules: ['-m comment --comment "p/pre/00" -j PH-IN'] },
    {
      name: "PH-IN",
      rules: [
        '-p udp -m comment --comment "p/count/11" -j RETURN',
        `-m set --match-set ph-${family}-office src -m comment --comment "p/office/22" -j RETURN`,
        ...extra,
        '-p tcp -m tcp --dport 1024:65535 -m comment --comment "p/default/33" -j DROP',
      ],
    },
  ];
  return { family, name: "mangle", chains, hooks: [{ chain: "PREROUTING", rules: [JUMP] }] };
}

/** One chain and one hook in table filter. */
export function filterTable(family: Family, extra: readonly string[] = []): Table {
  const rules = [...extra, '-p tcp -m comment --comment "p/out/44" -j DROP'];
  const hook = "-p tcp -m conntrack ! --ctstate RELATED -m comment --comment port-hardening -j PH-OUT";
  return { family, name: "filter", chains: [{ name: "PH-OUT", rules }], hooks: [{ chain: "OUTPUT", rules: [hook] }] };
}

export const office4 = (entries: readonly string[]): AddressSet => ({ name: "ph-4-office", family: 4, entries });
export const office6 = (entries: readonly string[]): AddressSet => ({ name: "ph-6-office", family: 6, entries });

export const sample: RuleSet = {
  tables: [sampleTable(4), filterTable(4), sampleTable(6), filterTable(6)],
  sets: [office4(["192.0.2.0/24", "198.51.100.7"]), office6(["2001:db8:1::/48", "2001:db8::7"])],
  sysctls: [equal(RANGE, "49152 65535"), contains("50000,50100-50110"), equal(BACKLOG, "4096")],
  nftTable: rejectTable(0x1000, false),
};

/** Of the sample, only what is of IPv4. */
export const withoutOffice6: RuleSet = { ...sample, sets: sample.sets.slice(0, 1), tables: [sampleTable(4)] };

export const nothing: RuleSet = { tables: [], sets: [], sysctls: [] };

/** Edits of every kind: a chain changed, one new, a set edited, one swapped, one gone, one new, sysctls changed and given back. */
export const edited: RuleSet = {
  tables: [
    {
      ...sampleTable(4, ["-m set --match-set ph-4-more src -j PH-NEW"]),
      chains: [
        ...sampleTable(4, ["-m set --match-set ph-4-more src -j PH-NEW"]).chains,
        { name: "PH-NEW", rules: ["-j RETURN"] },
      ],
    },
  ],
  sets: [office4(["203.0.113.0/24", "203.0.113.255"]), { name: "ph-4-more", family: 4, entries: ["192.0.2.9"] }],
  sysctls: [equal(BACKLOG, "2048"), contains("50100")],
};
