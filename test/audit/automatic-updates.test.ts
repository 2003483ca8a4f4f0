import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ChangedHost, ensureAutomaticUpdates, undoAutomaticUpdates } from "../../src/agent/automatic-updates.ts";
import { checkAutomaticUpdates } from "../../src/audit/updates/automatic-updates.ts";
import { hostChanger } from "../../src/kernel/host-changer.ts";
import { localHost } from "../../src/kernel/local-host.ts";
import { localHostView } from "../../src/kernel/local-host-view.ts";
import { aptRoot } from "./apt-root.ts";

const hasApt = (await localHostView().modifiedAt("/usr/bin/apt-config")) !== undefined;
const ours = "/etc/apt/apt.conf.d/zz-porthardening";

/** unattended-upgrades as its package installs it, told by debconf not to run; cron would run it. */
const debian = {
  "/etc/os-release": "ID=debian\n",
  "/usr/bin/apt-get": "",
  "/usr/bin/unattended-upgrade": "",
  "/etc/cron.daily/apt-compat": "",
  "/proc/stat": `btime ${Math.floor(Date.now() / 1000)}\n`,
  "/etc/apt/apt.conf.d/20auto-upgrades":
    'APT::Periodic::Update-Package-Lists "0";\nAPT::Periodic::Unattended-Upgrade "0";\n',
  "/etc/apt/apt.conf.d/50unattended-upgrades":
    'Unattended-Upgrade::Origins-Pattern {\n  "origin=Debian,codename=${distro_codename},label=Debian";\n};\n',
};

function changedHost(root: string): ChangedHost {
  return { host: localHostView({ root }), changer: hostChanger({ root, host: localHost() }) };
}

async function evidence({ host }: ChangedHost): Promise<readonly string[]> {
  const result = await checkAutomaticUpdates(host, Date.now());
  if (result.status === "NotChecked") throw new Error(result.reason);
  return result.findings.map((finding) => finding.evidence);
}

describe.skipIf(!hasApt)("the real apt-config, in a root of its own", () => {
  it("prints what our file says: the host installs security updates by itself, until it is undone", async () => {
    await using apt = await aptRoot(debian);
    const host = changedHost(apt.root);
    expect(await evidence(host)).toEqual(["APT::Periodic::Update-Package-Lists is 0"]);
    expect(await ensureAutomaticUpdates(host, ["workers"])).toEqual({ kind: "Done", changed: true });
    expect(await evidence(host)).toEqual([]);
    const dump = await host.host.run("apt-config", ["dump"], { timeoutMilliseconds: 10_000 });
    // What the host allows already stays, and the rest of its settings.
    expect(dump?.stdout.match(/^Unattended-Upgrade::Origins-Pattern:: .*/gm)).toEqual([
      'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename},label=Debian";',
      'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";',
    ]);
    expect(dump?.stderr).toBe("");
    expect(await ensureAutomaticUpdates(host, ["workers"])).toEqual({ kind: "Done", changed: false });
    expect(await undoAutomaticUpdates(host)).toEqual({ kind: "Done", changed: true });
    expect(await evidence(host)).toEqual(["APT::Periodic::Update-Package-Lists is 0"]);
  });

  it("lets what somebody sets in apt.conf win over our file, and it is named", async () => {
    await using apt = await aptRoot({ ...debian, "/etc/apt/apt.conf": 'APT::Periodic::Enable "0";\n' });
    const host = changedHost(apt.root);
    await ensureAutomaticUpdates(host, ["workers"]);
    const reason = `APT::Periodic::Enable is 0: /etc/apt/apt.conf overrules ${ours}`;
    expect(await ensureAutomaticUpdates(host, ["workers"])).toEqual({ kind: "NotDone", reason });
    expect(await evidence(host)).toEqual(["APT::Periodic::Enable is 0"]);
  });

  it("is written where the host's own links lead, not ours", async () => {
    await using apt = await aptRoot({ "/etc/parts/x": "" });
    await symlink("/etc/parts", join(apt.root, "etc/linked"));
    await changedHost(apt.root).changer.writeFile("/etc/linked/zz-porthardening", "// here\n");
    expect(await readFile(join(apt.root, "etc/parts/zz-porthardening"), "utf8")).toBe("// here\n");
  });

  it("says that systemctl is missing where systemd runs without it", async () => {
    const units = ["apt-daily.timer", "apt-daily-upgrade.timer"].map((name) => [`/lib/systemd/system/${name}`, ""]);
    await using apt = await aptRoot({ ...debian, "/run/systemd/system/x": "", ...Object.fromEntries(units) });
    const host = changedHost(apt.root);
    const reason = expect.stringMatching(/^systemctl is not installed/);
    expect(await ensureAutomaticUpdates(host, ["workers"])).toEqual({ kind: "NotDone", reason });
  });
});
