/** Values that a careless program would let through, or choke on. Grouped by the field that they imitate. */

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Values that hold blanks: separated by " | ", with the escapes of JSON. */
const values = (text: string): string[] => text.split(" | ").map((one): string => JSON.parse(`"${one}"`));

const ADDRESSES = [
  ...words(`
    192.0.2.01/24 192.0.02.0/24 0300.0.2.0/24 0xc0.0.2.0/24 3221225984/24 192.0.2/24 192.0.2.0/33 192.0.2.0/024 192.0.2.0/-1
    192.0.2.0/+24 192.0.2.0/ /24 192.0.2.0 192.0.2.1/24 192.0.2.0/24/24 192.0.2.0,192.0.3.0/24 !192.0.2.0/24 0/0 0.0.0.0/0
    0.0.0.0/1 255.255.255.255/32 127.0.0.0/8 224.0.0.0/4 10.0.0.0/8 1９2.0.2.0/24 192.0.2.0/٢٤ 192。0。2。0/24
    ::ffff:192.0.2.0/120 ::ffff:c000:200/120 ::ffff:0:0/96 ::ffff:0:0/95 ::/80 ::192.0.2.0/120 64:ff9b::192.0.2.0/120
    2001:db8::/129 2001:db8::%eth0/64 fe80::1%1/128 [2001:db8::]/32 2001:DB8::/32 2001:0db8:0000::/32 2001:db8:::/32 :::/0
    1:2:3:4:5:6:7::/128 1:2:3:4:5:6:7:8:9/128 ::/0 8000::/1 ::1/128 ::2:0/112 ::ffff/128 ::1:0:0/128`),
  ...values(
    String.raw`192.0.2.0/24  | 192.0.2.0\n/24 | 192.0.2.0/24\n | 192.0.2.0/24\nadd ph-4-nodes 0.0.0.0/1 | 192.0.2.0/24 nomatch | 192.0.2.0\u0000/24`,
  ),
];

const PORTS = [
  ...words(`
    0 00080 080 65536 99999 1-0 2048-1024 1024- -1024 - 1024--2048 1024:2048 1024,2048 1e3 0x50 +80 80.0 80-80 1-65535
    65535-65535 0-65535 1-65536 1024-65535 65535 1 1024-65535-65535 49152-50174 49152-50175 1023-65535 ٨٠ ８０８０ 𝟖𝟎 80٬000
    १०२४-२०४८`),
  ...values(String.raw`1024 - 2048 | 80  |  80 | 80\n | 80\n443 | 8\u00a00`),
];

const INTERFACES = [
  ...words(`
    lo lo+ l+ + ++ eth0+ eth+0 eth+ all .. . -i !eth0 eth0: eth0/1 eth0%eth1 éth0 eth0" abcdefghijklmno abcdefghijklmn+
    abcdefghijklmnop`),
  ...values(String.raw`eth0 -j ACCEPT | eth0\n | eth 0`),
];

const NAMES = [
  ...words(`
    A a_b -a a- a.b a..b a default DEFAULT null true 1 007 ~ __proto__ constructor toString ph-4-nodes PH-IN port-hardening
    Everybody Nodes tcp TCP enforce Enforce Allow ACCEPT In Exists net.ipv4.tcp_syncookies kernel.core_pattern a/b a/b/c/d ß
    ｗｅｂ wеb a\u200bb`),
  ...[63, 64, 253, 254, 20_000].map((length) => "a".repeat(length)),
];

const INJECTIONS = values(
  [
    String.raw` |   | \n | \r | \t | \u0000 | \u0007 | \u001b[2J | \u0085 | \u2028 | \ufeff | \ud800 | \ud83d\udca3`,
    String.raw`\" | ' | ${"`"} | \\ | \\\\ | \\\" | a\"b | a'b | \" -j ACCEPT | \"/x/00000000\" -j ACCEPT -m comment --comment \"`,
    String.raw`-- | - | -j ACCEPT | --jump ACCEPT | a -j ACCEPT | a -- | -A PH-IN -j ACCEPT | a\n-A INPUT -j ACCEPT | -F`,
    String.raw`COMMIT | a\nCOMMIT\n*filter\n-F\nCOMMIT | *filter | :INPUT ACCEPT [0:0] | a\nflush | destroy | a; flush ruleset`,
    String.raw`$(reboot) | ${"`reboot`"} | ${"$"}{IFS}reboot | a; reboot | a\u007creboot | a&&reboot | a& | >/etc/passwd | <x | * | ?`,
    String.raw`[a] | {a,b} | ~root | # | a # b | ! | ! -s 0.0.0.0/0 | ../../etc/passwd | /etc/passwd | %s%n%x | %00 | {{.}} | a=b`,
  ].join(" | "),
);

const STRINGS = [ADDRESSES, PORTS, INTERFACES, NAMES, INJECTIONS].flat();

/** A number as it stands in JSON text, for forms that JavaScript does not write. */
export class RawNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const BOUNDS = [0, 1, 32, 64, 128, 1023, 1024, 10_000, 65_535, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64];
const NUMBERS = [
  ...BOUNDS.flatMap((bound) => [bound - 1, bound, bound + 1, -bound]),
  1.5,
  0.1,
  1e21,
  1e308,
  5e-324,
  ...words("80.0 8e3 8E+3 -0 0.8e4 1e-1 8080.00000000000000001 123456789012345678901234567890").map(
    (text) => new RawNumber(text),
  ),
];

/** Of a type that nobody asked for. */
const MISFITS: readonly unknown[] = [null, true, false, 0, 1, "", "x", [], {}, [[]], [null], [{}], { a: 1 }, undefined];

/** Near enough to pass where the ends are not looked at. */
function bentText(text: string): string[] {
  const half = Math.ceil(text.length / 2);
  const odd = values(String.raw`\n | \u0000 |   | \" | ' | \\ | \u00a0 | ٣ | -j ACCEPT | $(reboot)`);
  const before = values(String.raw`  | \n | - | -- | ! | \" | ' | 0`);
  return [
    ...odd.flatMap((one) => [text + one, text.slice(0, half) + one + text.slice(half)]),
    ...before.map((one) => one + text),
    ...[text.toUpperCase, text.toLowerCase].map((change) => change.call(text)),
    ...[2, 400].map((times) => text.repeat(times)),
    text.slice(1),
    text.slice(0, -1),
  ].filter((one) => one !== text);
}

function alike(text: string): readonly string[] {
  if (/^[0-9a-f:.]+\/\d+$/.test(text)) return ADDRESSES;
  if (/^\d+(-\d+)?$/.test(text)) return PORTS;
  return /^[a-z]+\d?\+?$/.test(text) ? [...INTERFACES, ...NAMES] : NAMES;
}

function bentNumber(value: number): unknown[] {
  return [-value, value + 0.5, value * 2 ** 32 + value, `${value}`, `${value}\n`, [value]];
}

function bentList(list: readonly unknown[]): unknown[] {
  const [first = null] = list;
  const many = [17, 65, 3000].map((count) => Array.from({ length: count }, () => first));
  return [...many, [...list, null], [...list, []], [list], list.toReversed(), [...list, ...list]];
}

function bentObject(value: object): unknown[] {
  const [key = "x", member = null] = Object.entries(value)[0] ?? [];
  const odd = ["", " ", "a\nb", `${key} `, "a".repeat(400), ...words("$(reboot) __proto__ constructor toString ٣")];
  const added = (name: string, what: unknown) => Object.fromEntries([...Object.entries(value), [name, what]]);
  const crowd = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, member]));
  const more = odd.flatMap((name) => [added(name, member), added(name, null)]);
  return [...more, { ...value, ...crowd }, [value], { [key]: value }];
}

interface HostileValues {
  /** Those that aim at this value. */
  readonly aimed: readonly unknown[];
  readonly others: readonly unknown[];
}

/** What may come in the place of `value`. */
export function hostileValues(value: unknown): HostileValues {
  if (typeof value === "string") {
    return { aimed: [...bentText(value), ...alike(value)], others: [...STRINGS, ...NUMBERS, ...MISFITS] };
  }
  if (typeof value === "number") {
    return { aimed: [...bentNumber(value), ...NUMBERS, ...PORTS], others: [...STRINGS, ...MISFITS] };
  }
  const bent = Array.isArray(value) ? bentList(value) : typeof value === "object" && value ? bentObject(value) : [];
  return { aimed: [...bent, ...MISFITS], others: [...INJECTIONS, ...NUMBERS] };
}
