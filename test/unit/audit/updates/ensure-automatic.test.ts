import { describe, expect, it } from "vitest";
import { checkAutomaticUpdates } from "../../../../src/audit/updates/automatic-updates.ts";
import { planAutomaticUpdates } from "../../../../src/audit/updates/ensure-automatic.ts";
import { planUndo } from "../../../../src/audit/updates/undo-automatic.ts";
import { changed, hostView, type RecordedHost, recordedAt, without } from "../recorded-host.ts";
import { debian } from "./hosts/debian.ts";
import { imageHosts } from "./hosts/other.ts";
import { alma, fedora } from "./hosts/red-hat.ts";
import { ubuntu } from "./hosts/ubuntu.ts";

const plan = (host: RecordedHost) => planAutomaticUpdates(hostView(host), ["baseline", "workers"]);

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
      expect(content.split("\n", 1)[0]).toMatch(/Written by port-hardening .*Ensure.*: baseline, workers\./);
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

it("leaves timers alone where cron does their work", async () => {
  const byCron = without(
    debian,
    "/run/systemd/system/.keep",
    `${timers}/apt-daily.timer`,
    `${timers}/apt-daily-upgrade.timer`,
  );
  const files = { "/etc/cron.daily/apt-compat": "" };
  expect(await plan(changed(byCron, { files }))).toEqual({ kind: "Nothing" });
});

it("names some policies of many in the header", async () => {
  const many = Array.from({ length: 64 }, (_, number) => `p${number}`);
  const result = await planAutomaticUpdates(hostView(fedora), many);
  expect(result).toMatchObject({ files: [{ content: expect.stringContaining("p9 and 54 more.") }, {}] });
});

it("remembers a timer that ran though nothing enabled it, to let it run on", async () => {
  const running = changed(fedora, { commands: { systemctl: { stdout: "active\n" } } });
  const content = expect.stringContaining("running: dnf5-automatic.timer\n[Unit]");
  expect(await plan(running)).toMatchObject({ files: [{}, { content }] });
  expect(await plan(await carriedOut(running))).toEqual(await plan(running));
});

describe("what somebody sets where apt reads it after our file", () => {
  const off = changed(debian, { commands: { "apt-config": { stdout: 'APT::Periodic::Enable "0";\n' } } });
  it.each(["/etc/apt/apt.conf", "/etc/apt/apt.conf.d/zzz-local", "/etc/apt/apt.conf.d/zzzz.conf"])(
    "wins, and is named: %s",
    async (path) => {
      const { files } = await carriedOut(off);
      const overruling = changed(off, { files: { ...files, [path]: 'APT::Periodic::Enable "0";\n' } });
      const reason = `APT::Periodic::Enable is 0: ${path} overrules /etc/apt/apt.conf.d/zz-porthardening`;
      expect(await plan(overruling)).toEqual({ kind: "Impossible", reason });
    },
  );
});

describe("what is undone", () => {
  const undo = (host: RecordedHost) => planUndo(hostView(host));

  it("is all that was written, and the timers that nobody else enables stop", async () => {
    expect(await undo(await carriedOut(fedora))).toEqual({
      timers: ["dnf5-automatic.timer"],
      files: [
        "/etc/systemd/system/timers.target.d/porthardening.conf",
        "/etc/systemd/system/dnf5-automatic.service.d/porthardening.conf",
      ],
    });
  });

  it("is no timer that somebody enabled meanwhile, nor one that ran before", async () => {
    const links = { [`${timers}/dnf5-automatic.timer`]: "/usr/lib/systemd/system/dnf5-automatic.timer" };
    expect(await undo(changed(await carriedOut(fedora), { links }))).toMatchObject({ timers: [] });
    const running = changed(fedora, { commands: { systemctl: { stdout: "active\n" } } });
    expect(await undo(await carriedOut(running))).toMatchObject({ timers: [] });
  });

  it("is no file of somebody else under a name of ours, and nothing where nothing was done", async () => {
    const files = { "/etc/apt/apt.conf.d/zz-porthardening": "// mine\n" };
    expect(await undo(changed(debian, { files }))).toEqual({ timers: [], files: [] });
    expect(await undo(debian)).toEqual({ timers: [], files: [] });
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
