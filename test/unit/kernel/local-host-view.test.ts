import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { localHostView } from "../../../src/kernel/local-host-view.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "host-view-"));
  for (const folder of ["etc", "run", "usr/bin"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "etc/hostname"), "inside\n");
});
afterEach(() => rmSync(root, { recursive: true }));

const quickly = { timeoutMilliseconds: 5_000 };

it("reads files, folders, links and times below the root", async () => {
  const host = localHostView({ root });
  symlinkSync("../run/state", join(root, "etc/state"));
  utimesSync(join(root, "etc/hostname"), 0, 1_000);
  expect(await host.readFile("/etc/hostname")).toBe("inside\n");
  expect((await host.readFolder("/etc"))?.toSorted()).toEqual(["hostname", "state"]);
  expect(await host.readLink("/etc/state")).toBe("../run/state");
  expect(await host.modifiedAt("/etc/hostname")).toBe(1_000_000);
});

it("tells what is not there from what cannot be read", async () => {
  const host = localHostView({ root });
  expect(await host.readFile("/etc/none")).toBeUndefined();
  expect(await host.readFile("/etc/hostname/none")).toBeUndefined();
  expect(await host.readFolder("/none")).toBeUndefined();
  expect(await host.readLink("/none")).toBeUndefined();
  expect(await host.readLink("/etc/hostname")).toBeUndefined();
  expect(await host.modifiedAt("/none")).toBeUndefined();
  await expect(host.readFile("/etc")).rejects.toThrow("EISDIR");
});

it("follows links as the host would: absolute ones and .. stay inside its root", async () => {
  symlinkSync("/run", join(root, "etc/run"));
  symlinkSync("/../../../../../../etc/hostname", join(root, "run/name"));
  symlinkSync("/etc/passwd", join(root, "run/outside"));
  const host = localHostView({ root });
  expect(await host.readFile("/etc/run/name")).toBe("inside\n");
  expect(await host.readFile("/etc/run/outside")).toBeUndefined();
  expect(await host.readLink("/etc/run/outside")).toBe("/etc/passwd");
});

it("gives up on links that go round", async () => {
  symlinkSync("loop", join(root, "run/loop"));
  await expect(localHostView({ root }).readFile("/run/loop")).rejects.toThrow(/more than 40 symbolic links/);
});

it("reads a process that has ended as not there", async () => {
  const host = localHostView();
  expect(await host.readFile("/proc/4194304/status")).toBeUndefined();
  expect(await host.readFolder("/proc/4194304/fd")).toBeUndefined();
  expect(await host.readLink("/proc/self/exe")).toBe(process.execPath);
});

it.each(["/", "/proc/self/root"])("runs a tool of the host whose root is %s, whatever its exit code", async (place) => {
  const host = localHostView({ root: place });
  expect(await host.run("sort", ["-c"], quickly)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  const variables = (await host.run("env", [], quickly))?.stdout.trim().split("\n").toSorted();
  expect(variables).toEqual(["LC_ALL=C", expect.stringMatching(/^PATH=\/usr/), "SYSTEMD_OFFLINE=0"]);
  expect(await host.run("printf", ["%s|", "a b", "$HOME"], quickly)).toMatchObject({ stdout: "a b|$HOME|" });
  expect(await host.run("ls", ["/there/is/none"], quickly)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/none/),
  });
  expect(await host.run("there-is-no-such-tool", [], quickly)).toBeUndefined();
});

it("runs no tool of its own where the host has none", async () => {
  expect(await localHostView({ root }).run("ls", [], quickly)).toBeUndefined();
  writeFileSync(join(root, "usr/bin/ls"), "not to be run");
  chmodSync(join(root, "usr/bin/ls"), 0o644);
  expect(await localHostView({ root }).run("ls", [], quickly)).toBeUndefined();
});

it("ends a tool that takes too long, with all that it started", async () => {
  const host = localHostView();
  const started = performance.now();
  const run = host.run("timeout", ["20", "sh", "-c", "sleep 20 & sleep 20"], { timeoutMilliseconds: 100 });
  await expect(run).rejects.toThrow("no answer within 100 ms");
  expect(performance.now() - started).toBeLessThan(5_000);
});
