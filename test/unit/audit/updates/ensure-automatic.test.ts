import { describe, expect, it } from "vitest";
import { checkAutomaticUpdates } from "../../../../src/audit/updates/automatic-updates.ts";
import { planAutomaticUpdates } from "../../../../src/audit/updates/ensure-automatic.ts";
import { debian } from "./hosts/debian.ts";
import { imageHosts } from "./hosts/other.ts";
import { alma, fedora } from "./hosts/red-hat.ts";
import { ubuntu } from "./hosts/ubuntu.ts";
import { changed, hostView, type RecordedHost, recordedAt, without } from "./recorded-host.ts";

const plan = (host: RecordedHost) => planAutomaticUpdates(hostView(host));

/** The host after the plan was carried out: its files are there, its timers run, apt-config prints what they say. */
async function carriedOut(host: RecordedHost): Promise<RecordedHost> {
  const result = await plan(host);
  if (result.kind !== "Write") throw new Error(`nothing to write: ${JSON.stringify(result)}`);
  const files = Object.fromEntries(result.files.map(({ path, content }) => [path, content]));
  const ours = (files["/etc/apt/apt.conf.d/zz-porthardening"] ?? "").replace(/^\/\/.*\n/gm, "");
  const config = `${host.commands?.["apt-config"]?.stdout ?? ""}${ours}`;
  return changed(host, { files, commands: { "apt-config": { stdout: config }, systemctl: { stdout: "active\n" } } });
}

const off = (name: string, host: RecordedHost) => ({ name, host });
const timers = "/etc/systemd/system/timers.target.wants";
const cases = [
  off("Debian, not configured", changed(debian, { commands: { "apt-config": { stdout: 'APT "";\n' } } })),
  off("Debian, timers disabled", without(debian, `${timers}/apt-daily.timer`, `${timers}/apt-daily-upgrade.timer`)),
  off(
    "Ubuntu, without its security suite",
    changed(ubuntu, {
      commands: { "apt-config": { stdout: 'APT::Periodic::Update-Package-Lists "0";\nAPT::Periodic::Enable "0";\n' } },
    }),
  ),
  off("AlmaLinux with dnf 4, which only downloads", alma),
  off("Fedora with dnf 5, timer off", fedora),
];

describe.each(cases)("$name", ({ host }) => {
  it("is off before, and on once the plan is carried out", async () => {
    const before = await checkAutomaticUpdates(hostView(host), recordedAt);
    const after = await checkAutomaticUpdates(hostView(await carriedOut(host)), recordedAt);
    expect(before).toMatchObject({ findings: [{ id: "updates.automatic-off" }] });
    expect(after).toEqual({ status: "Checked", examined: 1, findings: [] });
  });

  it("plans the same when its files are there already, so that they stay", async () => {
    expect(await plan(await carriedOut(host))).toEqual(await plan(host));
  });

  it("writes files of ours alone", async () => {
    const result = await plan(host);
    if (result.kind !== "Write") throw new Error("nothing to write");
    for (const { path, content } of result.files) {
      expect(path).toMatch(/\/(?:zz-porthardening|porthardening\.conf)$/);
      expect(content).toContain("removed by its clean-up");
    }
  });
});

it("leaves a host alone that does it by itself", async () => {
  expect(await plan(debian)).toEqual({ kind: "Nothing" });
  expect(await plan(changed(alma, { links: { [`${timers}/dnf-automatic-install.timer`]: "" } }))).toEqual({
    kind: "Nothing",
  });
});

it("starts a timer that was stopped, without a file", async () => {
  const stopped = changed(debian, { commands: { systemctl: { exitCode: 3, stdout: "inactive\n" } } });
  expect(await plan(stopped)).toEqual({
    kind: "Write",
    files: [],
    timers: ["apt-daily.timer", "apt-daily-upgrade.timer"],
  });
});

it.each<[string, RecordedHost, RegExp]>([
  ["it would take a package", without(debian, "/usr/bin/unattended-upgrade"), /unattended-upgrades is not installed/],
  ["it would take a plug-in", without(fedora, "/usr/lib/systemd/system/dnf5-automatic.timer"), /not installed/],
  [
    "somebody masked the timer",
    changed(debian, { links: { "/etc/systemd/system/apt-daily.timer": "/dev/null" } }),
    /masked/,
  ],
  ...Object.entries(imageHosts).map(([name, host]): [string, RecordedHost, RegExp] => [`it is ${name}`, host, /./]),
])("is impossible where %s", async (_, host, reason) => {
  expect(await plan(host)).toEqual({ kind: "Impossible", reason: expect.stringMatching(reason) });
});
