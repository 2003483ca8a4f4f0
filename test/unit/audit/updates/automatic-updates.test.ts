import { describe, expect, it } from "vitest";
import { checkAutomaticUpdates } from "../../../../src/audit/updates/automatic-updates.ts";
import { changed, days, hostView, type RecordedHost, recordedAt, without } from "../recorded-host.ts";
import { aptConfig, debian } from "./hosts/debian.ts";
import { imageHosts } from "./hosts/other.ts";
import { alma, fedora } from "./hosts/red-hat.ts";
import { ubuntu } from "./hosts/ubuntu.ts";

const check = (host: RecordedHost) => checkAutomaticUpdates(hostView(host), recordedAt);

/** Ids and evidence, on one line each. */
async function findings(host: RecordedHost): Promise<string[]> {
  const result = await check(host);
  if (result.status !== "Checked") throw new Error(`not checked: ${result.reason}`);
  return result.findings.map(({ id, evidence }) => `${id}: ${evidence}`);
}

const config = (stdout: string) => ({ commands: { "apt-config": { stdout } } });

describe("unattended-upgrades", () => {
  it.each([
    ["Debian", debian],
    ["Ubuntu, which had no time yet for a first run", ubuntu],
  ])("is on: %s", async (_, host) => {
    expect(await check(host)).toEqual({ status: "Checked", examined: 1, findings: [] });
  });

  it.each<[string, RecordedHost, string]>([
    ["is not installed", without(debian, "/usr/bin/unattended-upgrade"), "unattended-upgrades is not installed"],
    ["is not switched on", changed(debian, config('APT::Periodic "";\n')), "Update-Package-Lists is not set"],
    [
      "is switched off by a later file",
      changed(debian, config(`${aptConfig}APT::Periodic::Unattended-Upgrade "0";\n`)),
      "APT::Periodic::Unattended-Upgrade is 0",
    ],
    [
      "is disabled as a whole",
      changed(debian, config(`${aptConfig}APT::Periodic::Enable "0";\n`)),
      "APT::Periodic::Enable is 0",
    ],
    [
      "covers no security suite",
      changed(debian, config(aptConfig.replace(/.*-security.*\n/, ""))),
      "none of its origins is a security suite",
    ],
    [
      "has a timer that is disabled",
      without(debian, "/etc/systemd/system/timers.target.wants/apt-daily.timer"),
      "apt-daily.timer is off",
    ],
    [
      "has a timer that is masked",
      changed(debian, { links: { "/etc/systemd/system/apt-daily-upgrade.timer": "/dev/null" } }),
      "apt-daily-upgrade.timer is masked",
    ],
    [
      "has a timer that was stopped",
      changed(debian, { commands: { systemctl: { exitCode: 3, stdout: "inactive\n" } } }),
      "apt-daily.timer is stopped",
    ],
  ])("is off where it %s", async (_, host, evidence) => {
    expect(await findings(host)).toEqual([expect.stringMatching(new RegExp(`^updates.automatic-off: .*${evidence}`))]);
  });

  it.each(["always", "7", "12h"])("is on at interval %s", async (interval) => {
    const text = aptConfig.replace('Unattended-Upgrade "1"', `Unattended-Upgrade "${interval}"`);
    expect(await findings(changed(debian, config(text)))).toEqual([]);
  });

  it("goes by the files where systemd does not answer, and by cron where systemd does not run", async () => {
    const dumb = changed(debian, {
      commands: { systemctl: { exitCode: 1, stderr: "System has not been booted with systemd\n" } },
    });
    expect(await findings(dumb)).toEqual([]);
    const cron = without(
      changed(debian, { files: { "/etc/cron.daily/apt-compat": "" } }),
      "/run/systemd/system/.keep",
      "/etc/systemd/system/timers.target.wants/apt-daily.timer",
    );
    expect(await findings(cron)).toEqual([]);
  });

  it("is not believed where it has not run to its end for a week, or never", async () => {
    const failing = changed(debian, { modified: { "/var/lib/apt/periodic/upgrade-stamp": recordedAt - days(9) } });
    expect(await findings(failing)).toEqual([
      "updates.automatic-stalled: unattended-upgrades is on, but last ran to its end 9 days ago",
    ]);
    const never = without(debian, "/var/lib/apt/periodic/upgrade-stamp");
    // Switched on today: there was no time yet.
    expect(await findings(never)).toEqual([]);
    const links = "/etc/systemd/system/timers.target.wants";
    expect(await findings(changed(never, { modified: { [links]: recordedAt - days(20) } }))).toEqual([
      "updates.automatic-stalled: unattended-upgrades is on, but never ran in 20 days",
    ]);
  });

  it("is not checked where apt does not print its configuration", async () => {
    expect(await check(changed(debian, { commands: { "apt-config": { exitCode: 100 } } }))).toMatchObject({
      status: "NotChecked",
    });
  });
});

describe("dnf", () => {
  const installing = "/etc/systemd/system/timers.target.wants/dnf-automatic-install.timer";
  const five = "/etc/systemd/system/timers.target.wants/dnf5-automatic.timer";
  const on5 = changed(fedora, { links: { [five]: "" }, commands: { systemctl: { stdout: "active\n" } } });

  it("tells a timer that only downloads from one that installs", async () => {
    expect(await findings(alma)).toEqual([
      "updates.automatic-off: dnf-automatic.timer runs, but only downloads: apply_updates is no",
    ]);
    expect(await findings(changed(alma, { links: { [installing]: "" } }))).toEqual([]);
    const text = alma.files["/etc/dnf/automatic.conf"]?.replace("apply_updates = no", "apply_updates = yes") ?? "";
    expect(await findings(changed(alma, { files: { "/etc/dnf/automatic.conf": text } }))).toEqual([]);
  });

  it("reads the configuration and the drop-ins of dnf 5", async () => {
    expect(await findings(fedora)).toEqual(["updates.automatic-off: dnf5-automatic.timer is off"]);
    expect(await findings(on5)).toEqual([expect.stringContaining("only downloads")]);
    const configured = { files: { "/etc/dnf/automatic.conf": "[commands]\napply_updates = yes\n" } };
    expect(await findings(changed(on5, configured))).toEqual([]);
    const dropIn = "/etc/systemd/system/dnf5-automatic.service.d/site.conf";
    const told = { files: { [dropIn]: "[Service]\nExecStart=\nExecStart=/usr/bin/dnf5 automatic --installupdates\n" } };
    expect(await findings(changed(on5, told))).toEqual([]);
  });

  it("says where it is not installed, and where the timer has not elapsed for a week", async () => {
    expect(await findings(without(fedora, "/usr/lib/systemd/system/dnf5-automatic.timer"))).toEqual([
      "updates.automatic-off: dnf5-plugin-automatic is not installed",
    ]);
    const stamp = "/var/lib/systemd/timers/stamp-dnf-automatic-install.timer";
    const late = changed(alma, { links: { [installing]: "" }, modified: { [stamp]: recordedAt - days(10) } });
    expect(await findings(late)).toEqual([expect.stringMatching(/^updates.automatic-stalled: .* 10 days ago$/)]);
  });
});

it.each(Object.entries(imageHosts))("is not checked on %s", async (_, host) => {
  expect((await check(host)).status).toBe("NotChecked");
});
