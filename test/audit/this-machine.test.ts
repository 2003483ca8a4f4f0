import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { checkAutomaticUpdates } from "../../src/audit/updates/automatic-updates.ts";
import { checkPendingReboot } from "../../src/audit/updates/pending-reboot.ts";
import { checkPendingUpdates } from "../../src/audit/updates/pending-updates.ts";
import { localHostView } from "../../src/kernel/local-host-view.ts";

const machine = localHostView();

/** Everything below a folder with size and times: what a writer would change. */
async function traces(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const lines = names.map(async (name) => {
    const { size, mtimeMs, ctimeMs, ino } = await lstat(join(folder, name));
    return `${join(folder, name)} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  });
  return (await Promise.all(lines)).toSorted();
}

const hasApt = (await machine.modifiedAt("/usr/bin/apt-get")) !== undefined;

describe.skipIf(!hasApt)("this machine, where apt is there", () => {
  it("is audited without a trace: no list, cache, lock or state of apt and dpkg changes", {
    timeout: 60_000,
  }, async () => {
    const folders = ["/var/lib/apt", "/var/cache/apt", "/var/lib/dpkg", "/etc/apt"];
    const before = await Promise.all(folders.map(traces));
    const now = Date.now();
    const results = [
      await checkPendingUpdates(machine, now),
      await checkPendingReboot(machine),
      await checkAutomaticUpdates(machine, now),
    ];
    expect(await Promise.all(folders.map(traces))).toEqual(before);
    for (const result of results) {
      if (result.status === "NotChecked") expect(result.reason).not.toBe("");
      else expect(result.examined).toBeGreaterThan(0);
    }
  });

  it("has the updates pending that apt-get itself would take from a security suite", { timeout: 60_000 }, async () => {
    const result = await checkPendingUpdates(machine, Date.now());
    const simulation = await execa("apt-get", ["-s", "-o", "Debug::NoLocking=1", "upgrade"], { env: { LC_ALL: "C" } });
    const security = /^Inst .*-[sS]ecurity/m.test(simulation.stdout);
    const found = result.status === "Checked" && result.findings.some(({ id }) => id === "updates.security-pending");
    // apt-get keeps some back; what it takes must be among ours.
    if (result.status === "Checked" && security) expect(found).toBe(true);
    expect(result.status === "NotChecked" && security).toBe(false);
  });
});
