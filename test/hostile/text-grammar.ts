import type { RuleSet } from "../../src/render/types.ts";

/**
 * What may stand in our text, token by token and written without a look at `render`: names come from objects, so each is
 * held to the narrowest form that it can have. A rule that is none of this is more than data in a place for data.
 */
const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const HASH = "[0-9a-f]{8}";
const INTERFACE = "(?=\\S{1,15}(?: |$))[A-Za-z0-9_][A-Za-z0-9_.-]*\\+?";
const CHAIN = "PH-[A-Za-z0-9_.+-]{1,25}";
const PORTS = "\\d{1,5}(?::\\d{1,5})?(?:,\\d{1,5}(?::\\d{1,5})?){0,14}";
const STATES = "(?:INVALID|NEW|RELATED|ESTABLISHED|UNTRACKED|DNAT)";

const MATCHES = [
  `-[io] ${INTERFACE}`,
  "-p (?:tcp|udp|sctp)",
  "-m tcp (?:! )?--tcp-flags FIN,SYN,RST,ACK SYN",
  "-m sctp (?:! )?--chunk-types (?:any|only) INIT",
  `-m multiport --dports ${PORTS}`,
  "-m addrtype (?:! )?--(?:src|dst)-type (?:LOCAL|BROADCAST|MULTICAST|ANYCAST)",
  "-m set (?:! )?--match-set ph-[46]-(?:[0-9a-f]{12}|nodes|pods|services|vips) (?:src|dst)",
  `-m set --match-set ph-[wg][46]-${HASH} (?:src|dst)`,
  `-m set --match-set ph-d[46]-${HASH} (?:src|dst),dst`,
  "-m limit --limit \\d+/sec --limit-burst \\d+",
  "-m mark --mark 0x1000/0x1000",
  `-m conntrack (?:! )?--ctstate ${STATES}(?:,${STATES})*(?: --ctdir ORIGINAL)?(?: ! --ctstatus CONFIRMED)?`,
  "-m conntrack --ctdir REPLY",
  "-m conntrack --ctorigdst [0-9a-f.:]+(?:/\\d{1,3})?",
  "-m hashlimit --hashlimit-above \\d+/(?:sec|min|hour|day) --hashlimit-burst \\d+ --hashlimit-mode srcip " +
    `--hashlimit-name ph-w?${HASH} --hashlimit-htable-size \\d+ --hashlimit-htable-max \\d+` +
    "(?: --hashlimit-htable-expire \\d+)?(?: --hashlimit-srcmask \\d{1,3})?",
  "-m connlimit --connlimit-above \\d+ --connlimit-mask \\d{1,3} --connlimit-saddr",
  `-m comment --comment "${LABEL}/${LABEL}/${HASH}"`,
  "-m comment --comment port-hardening",
];
const TARGETS = [
  `-[jg] ${CHAIN}`,
  "-j (?:RETURN|DROP)",
  "-j REJECT --reject-with (?:tcp-reset|icmp-port-unreachable|icmp6-port-unreachable)",
  "-j MARK --set-xmark 0x(?:1000|0)/0x1000",
  `-j SET --add-set ph-[wg][46]-${HASH} (?:src|dst)(?: --exist)?`,
  `-j SET --add-set ph-d[46]-${HASH} (?:src|dst),dst`,
];
const RULE = new RegExp(`^(?:(?:${MATCHES.join("|")}) )*(?:${TARGETS.join("|")})$`);
const ADDRESS =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?|[0-9a-f:]*:[0-9a-f:]*(?:\d{1,3}(?:\.\d{1,3}){3})?(?:\/\d{1,3})?)$/;
const SET = /^ph-[46]-(?:[0-9a-f]{12}|nodes|pods|services|vips)$/;
const COUNTED_SET = new RegExp(`^ph-[wgd][46]-${HASH}$`);
const CREATE =
  /^hash:ip(?:,port)? family inet6? hashsize \d+ maxelem \d+(?: counters forceadd|(?: netmask \d{1,3})? timeout \d{1,7})$/;
const SYSCTL = /^(?:net|kernel|vm|fs)(?:\.[a-z0-9_]+)+$/;
const VALUE = /^[!-~](?:[ -~]{0,4094}[!-~])?$/;

/** Every line of the text that has no place in it. */
export function strangeLines({ tables, sets, counted = [], sysctls }: RuleSet): string[] {
  const rules = tables.flatMap(({ chains, hooks }) => [...chains, ...hooks].flatMap((one) => one.rules));
  const names = tables.flatMap(({ chains }) => chains.map(({ name }) => name));
  return [
    ...rules.filter((rule) => !RULE.test(rule)),
    ...names.filter((name) => !new RegExp(`^${CHAIN}$`).test(name)),
    ...tables
      .flatMap(({ hooks }) => hooks.map(({ chain }) => chain))
      .filter((chain) => !/^(?:PREROUTING|INPUT|OUTPUT)$/.test(chain)),
    ...sets.flatMap(({ name, entries }) => [
      ...(SET.test(name) ? [] : [name]),
      ...entries.filter((one) => !ADDRESS.test(one)),
    ]),
    ...counted.flatMap(({ name, create }) =>
      COUNTED_SET.test(name) && CREATE.test(create) ? [] : [`${name} ${create}`],
    ),
    ...sysctls.flatMap(({ key, value }) => (SYSCTL.test(key) && VALUE.test(value) ? [] : [`${key} = ${value}`])),
  ];
}
