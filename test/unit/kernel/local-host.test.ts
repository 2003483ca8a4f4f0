import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RestoreError, SysctlError, ToolError, ToolMissingError } from "../../../src/kernel/errors.ts";
import { localHost } from "../../../src/kernel/local-host.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "local-host-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const quickly = { timeoutMilliseconds: 5_000 };

function program(name: string, ...lines: string[]): void {
  const path = join(folder, name);
  writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"));
  chmodSync(path, 0o755);
}

/** Tools are found in the test's folder first. */
const host = () => localHost({ path: `${folder}:/usr/bin:/bin` });

it("gives a tool its input and arguments as they are, and an environment of two variables", async () => {
  program(
    "ipset",
    'echo "args: $*"',
    "cat",
    "env | cut -d= -f1 | grep -v '^_$' | grep -v '^PWD$' | sort | tr '\\n' ' '",
  );
  const { stdout } = await host().run("ipset", ["$HOME; id", "*"], { ...quickly, input: "line\n" });
  expect(stdout).toBe("args: $HOME; id *\nline\nLC_ALL PATH ");
});

it("tells the process id before the process has ended", async () => {
  program("ipset", "echo $$");
  let pid = 0;
  const { stdout } = await host().run("ipset", [], { ...quickly, onSpawn: (id) => (pid = id) });
  expect(Number(stdout)).toBe(pid);
});

it("tells a missing tool, a refused line, a failure and a time-out apart", async () => {
  await expect(host().run("iptables-nft-nonsense", [], quickly)).rejects.toThrow(ToolMissingError);
  program("ipset", "echo 'ipset v7.17: Error in line 2: no' >&2", "exit 1");
  await expect(host().run("ipset", [], { ...quickly, input: "a\nb\n" })).rejects.toThrow(
    new RestoreError("ipset", "no", 2, "b"),
  );
  program("ipset", "echo 'not today' >&2", "exit 3");
  await expect(host().run("ipset", [], quickly)).rejects.toThrow(new ToolError("ipset", "not today"));
  program("ipset", "exec sleep 60");
  await expect(host().run("ipset", [], { timeoutMilliseconds: 100 })).rejects.toThrow("ipset: no answer within 100 ms");
});

it("ends a stream of lines when its program ends, with its words", async () => {
  program("nft", "echo one", "echo two", "echo 'netlink: out of memory' >&2", "exit 1");
  const lines: string[] = [];
  const read = async () => {
    for await (const line of host().spawnLines("nft", ["monitor"], new AbortController().signal).lines)
      lines.push(line);
  };
  await expect(read()).rejects.toThrow("nft: netlink: out of memory");
  expect(lines).toEqual(["one", "two"]);
});

it("hands over the lines of a tool as they come, the last one too, and says what went wrong", async () => {
  const lines = async () => {
    const found: string[] = [];
    await host().readLines("conntrack", ["-L"], { timeoutMilliseconds: 2_000 }, (line) => found.push(line));
    return found;
  };
  await expect(localHost({ path: folder }).readLines("conntrack", [], quickly, () => {})).rejects.toThrow(
    "conntrack is not installed: install the package conntrack",
  );
  program("conntrack", "seq 1 20000", "printf 'no line end'");
  expect(await lines()).toEqual([...Array.from({ length: 20_000 }, (_, index) => `${index + 1}`), "no line end"]);
  program("conntrack", "echo one", "echo 'conntrack v1.4.7 (conntrack-tools): Operation failed' >&2", "exit 1");
  await expect(lines()).rejects.toThrow("Operation failed");
  program("conntrack", "echo one", "exec sleep 60");
  await expect(lines()).rejects.toThrow("conntrack: no answer within 2000 ms");
});

it("replaces a file as a whole, makes its folder, and sweeps what an interrupted write left", async () => {
  const path = join(folder, "a", "b.json");
  expect(await host().readFile(path)).toBeUndefined();
  await host().writeFileAtomic(path, "old");
  await host().writeFileAtomic(path, "new");
  expect(await host().readFile(path)).toBe("new");
  writeFileSync(`${path}.unfinished`, "ne");
  await host().remove(path);
  await host().remove(path);
  expect(readdirSync(join(folder, "a"))).toEqual([]);
});

it("counts the lines of a file of any size, also where /proc tells none", async () => {
  const path = join(folder, "lines");
  expect(await host().countLines(path)).toBeUndefined();
  writeFileSync(path, "");
  expect(await host().countLines(path)).toBe(0);
  writeFileSync(path, "a line\n".repeat(100_000));
  expect(await host().countLines(path)).toBe(100_000);
  expect(await host().countLines("/proc/self/limits")).toBeGreaterThan(10);
});

it("knows no value for a sysctl that is not there, and refuses to write it", async () => {
  expect(await host().readSysctl("net.ipv4.nonsense")).toBeUndefined();
  expect(await host().readSysctl("kernel.ostype")).toBe("Linux");
  await expect(host().writeSysctl("net.ipv4.nonsense", "1")).rejects.toThrow(SysctlError);
});
