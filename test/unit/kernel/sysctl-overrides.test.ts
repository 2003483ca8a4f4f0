import { expect, it } from "vitest";
import { memoryHost } from "../../../src/kernel/memory-host.ts";
import { observeOverrides } from "../../../src/kernel/sysctl-overrides.ts";
import type { SysctlSetting } from "../../../src/render/types.ts";

const RANGE = "net.ipv4.ip_local_port_range";
const range: SysctlSetting = { key: RANGE, value: "49152 65535", match: "Equal", persist: true };
const reserved: SysctlSetting = {
  key: "net.ipv4.ip_local_reserved_ports",
  value: "50000-50001",
  match: "Contains",
  persist: true,
};

/** Overrides as `file:line`, of files by path below the node's root. */
async function overrides(files: Readonly<Record<string, string>>, settings: readonly SysctlSetting[] = [range]) {
  const host = memoryHost();
  for (const [path, text] of Object.entries(files)) host.files.set(`/host/${path}`, text);
  const found = await observeOverrides(host, "/host/etc/sysctl.d", settings);
  return found.map(({ file, line }) => `${file.replace("/host/", "")}:${line}`);
}
const other = `${RANGE} = 1024 65535\n`;

it("finds files of all folders that are read after ours, by name", async () => {
  for (const folder of ["etc", "run", "usr/local/lib", "usr/lib", "lib"])
    expect(await overrides({ [`${folder}/sysctl.d/99-sysctl.conf`]: other })).toEqual([
      `${folder}/sysctl.d/99-sysctl.conf:1`,
    ]);
  expect(await overrides({ "etc/sysctl.d/99-a.conf": other, "run/sysctl.d/50-z.conf": other })).toEqual([]);
});

it("reads of two files with one name the one in the folder that comes first", async () => {
  const name = "sysctl.d/99-z.conf";
  expect(await overrides({ [`etc/${name}`]: "", [`usr/lib/${name}`]: other })).toEqual([]);
  expect(await overrides({ [`run/${name}`]: other, [`usr/lib/${name}`]: "" })).toEqual([`run/${name}:1`]);
});

it("goes by the last line of the last file", async () => {
  const same = `${RANGE} = 49152\t65535\n`;
  expect(await overrides({ "etc/sysctl.d/99-x.conf": other, "etc/sysctl.d/99-y.conf": same })).toEqual([]);
  expect(await overrides({ "etc/sysctl.d/99-x.conf": same, "etc/sysctl.d/99-y.conf": `${same}\n${other}` })).toEqual([
    "etc/sysctl.d/99-y.conf:3",
  ]);
});

it.each([
  ["# " + other],
  ["; " + other],
  ["net.ipv4.tcp_syncookies = 0\n"],
  ["net.ipv4.ip_local_* = 1 2\n"],
  [`-${RANGE}\n`],
])("is not misled by %j", async (text) => {
  expect(await overrides({ "etc/sysctl.d/99-z.conf": text })).toEqual([]);
});

it.each([["net/ipv4/ip_local_port_range=1024 65535"], [`-${RANGE} = 1024 65535`], [`  ${RANGE}=1024  65535`]])(
  "reads %j",
  async (text) => {
    expect(await overrides({ "etc/sysctl.d/99-z.conf": text })).toHaveLength(1);
  },
);

it("knows /etc/sysctl.conf, which comes last, once where a link leads to it", async () => {
  expect(await overrides({ "etc/sysctl.conf": other })).toEqual(["etc/sysctl.conf:1"]);
  expect(await overrides({ "etc/sysctl.conf": other, "etc/sysctl.d/99-sysctl.conf": other })).toEqual([
    "etc/sysctl.d/99-sysctl.conf:1",
  ]);
});

it("lets reserved ports stand among others, and asks nothing of what is not persisted", async () => {
  const line = (value: string) => ({ "etc/sysctl.d/99-z.conf": `${reserved.key} = ${value}\n${other}` });
  expect(await overrides(line("40000,50000-50002"), [reserved])).toEqual([]);
  expect(await overrides(line("50000"), [reserved])).toHaveLength(1);
  expect(await overrides(line("50000"), [{ ...range, persist: false }])).toEqual([]);
});
