import { describe, expect, it } from "vitest";
import {
  type ChangedHost,
  ensureAutomaticUpdates,
  undoAutomaticUpdates,
} from "../../../src/agent/automatic-updates.ts";
import { automaticUpdatesKeeper } from "../../../src/agent/automatic-updates-keeper.ts";
import { auditSubject } from "../../../src/audit/check.ts";
import type { CheckResult } from "../../../src/audit/finding.ts";
import { CHECKS } from "../../../src/audit/registry.ts";
import type { AuditSettings } from "../../../src/audit/settings.ts";
import { checkAutomaticUpdates } from "../../../src/audit/updates/automatic-updates.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { changed, type RecordedHost, without } from "../audit/recorded-host.ts";
import { debian } from "../audit/updates/hosts/debian.ts";
import { imageHosts } from "../audit/updates/hosts/other.ts";
import { fedora } from "../audit/updates/hosts/red-hat.ts";
import { contentOf, hostTree, namesOf, treeHost } from "./host-tree.ts";

const wants = "/etc/systemd/system/timers.target.wants";
const aptTimers = ["apt-daily.timer", "apt-daily-upgrade.timer"];
const aptFile = "/etc/apt/apt.conf.d/zz-porthardening";
const timersFile = "/etc/systemd/system/timers.target.d/porthardening.conf";

/** unattended-upgrades is installed, and everything that would have it run is off. */
const off = changed(without(debian, ...aptTimers.map((timer) => `${wants}/${timer}`)), {
  files: { "/etc/apt/apt.conf.d/20auto-upgrades": 'APT::Periodic::Unattended-Upgrade "0";\n' },
});
const asking = ["workers"];

async function finds({ host }: ChangedHost): Promise<readonly string[]> {
  const result = await checkAutomaticUpdates(host, Date.now());
  return result.status === "Checked" ? result.findings.map(({ id }) => id) : [result.reason];
}

describe.each<[string, RecordedHost]>([
  ["Debian, all of it off", off],
  ["Fedora with dnf 5, timer off", changed(fedora, { files: { "/run/systemd/system/.keep": "" } })],
])("%s", (_, recorded) => {
  it("does it by itself after it was ensured, and is as it was after that was undone", async () => {
    const root = await hostTree(recorded);
    const before = await namesOf(root);
    const host = treeHost(root);
    expect(await finds(host)).toEqual(["updates.automatic-off"]);
    expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "Done", changed: true });
    expect(await finds(host)).toEqual([]);
    expect(await undoAutomaticUpdates(host)).toEqual({ kind: "Done", changed: true });
    expect(await finds(host)).toEqual(["updates.automatic-off"]);
    expect([...host.running]).toEqual([]);
    expect(await namesOf(root)).toEqual([...before].toSorted());
  });

  it("is changed once: the next time nothing is written and systemd is told nothing", async () => {
    const root = await hostTree(recorded);
    const host = treeHost(root);
    await ensureAutomaticUpdates(host, asking);
    const [files, told] = [await contentOf(root), host.told.length];
    expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "Done", changed: false });
    expect(await contentOf(root)).toEqual(files);
    expect(host.told).toHaveLength(told);
  });

  it("starts what somebody stopped meanwhile", async () => {
    const host = treeHost(await hostTree(recorded));
    await ensureAutomaticUpdates(host, asking);
    const [timer = ""] = host.running;
    host.running.delete(timer);
    expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "Done", changed: true });
    expect(host.running).toContain(timer);
  });
});

it("has systemd read the files before it starts what they enable", async () => {
  const host = treeHost(await hostTree(off));
  await ensureAutomaticUpdates(host, asking);
  expect(host.told).toEqual(["daemon-reload", "start apt-daily.timer", "start apt-daily-upgrade.timer"]);
});

it("leaves a timer running that somebody enabled meanwhile, and one that ran before", async () => {
  const root = await hostTree(off);
  const host = treeHost(root, ["apt-daily.timer"]);
  await ensureAutomaticUpdates(host, asking);
  expect((await contentOf(root))[timersFile]).toContain("running: apt-daily.timer\n");
  await undoAutomaticUpdates(host);
  expect([...host.running]).toEqual(["apt-daily.timer"]);
});

it("leaves others' drop-ins and the folder that they are in", async () => {
  const other = "/etc/systemd/system/timers.target.d/local.conf";
  const root = await hostTree(changed(off, { files: { [other]: "[Unit]\n" } }));
  const host = treeHost(root);
  await ensureAutomaticUpdates(host, asking);
  await undoAutomaticUpdates(host);
  expect(Object.keys(await contentOf(root))).toContain(other);
});

it("writes over no file of somebody else, and removes none", async () => {
  const root = await hostTree(changed(off, { files: { [aptFile]: "// mine\n" } }));
  const host = treeHost(root);
  const reason = `${aptFile} is somebody else's`;
  expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "NotDone", reason });
  expect(await undoAutomaticUpdates(host)).toEqual({ kind: "Done", changed: false });
  expect((await contentOf(root))[aptFile]).toBe("// mine\n");
});

it("writes the files where systemd does not run, and starts nothing", async () => {
  const host = treeHost(await hostTree(without(off, "/run/systemd/system/.keep")));
  expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "Done", changed: true });
  expect(await undoAutomaticUpdates(host)).toEqual({ kind: "Done", changed: true });
  expect(host.told).toEqual([]);
});

describe("where it cannot be done", () => {
  const readOnly = (host: ChangedHost): ChangedHost => ({
    ...host,
    changer: { ...host.changer, writeFile: () => Promise.reject(new Error("EROFS: read-only file system, open")) },
  });

  it.each<[string, RecordedHost, RegExp]>([
    [
      "a package is missing",
      without(off, "/usr/bin/unattended-upgrade"),
      /unattended-upgrades is not installed, and no/,
    ],
    ["the system is replaced as a whole", Object.values(imageHosts)[0] ?? off, /image/],
  ])("because %s, it says so and leaves the host alone", async (_, recorded, reason) => {
    const root = await hostTree(recorded);
    const before = await namesOf(root);
    expect(await ensureAutomaticUpdates(treeHost(root), asking)).toEqual({
      kind: "NotDone",
      reason: expect.stringMatching(reason),
    });
    expect(await namesOf(root)).toEqual(before);
  });

  it("because /etc is read-only, it says so in the words of the system", async () => {
    const host = readOnly(treeHost(await hostTree(off)));
    const reason = "EROFS: read-only file system, open";
    expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "NotDone", reason });
  });

  it("because systemd refuses, it says so, and a later time finishes", async () => {
    const host = treeHost(await hostTree(off));
    const refusing = {
      ...host.changer,
      systemctl: () => Promise.reject(new Error("systemctl: Failed to connect to bus")),
    };
    expect(await ensureAutomaticUpdates({ host: host.host, changer: refusing }, asking)).toMatchObject({
      kind: "NotDone",
    });
    expect(await ensureAutomaticUpdates(host, asking)).toEqual({ kind: "Done", changed: true });
    expect([...host.running]).toEqual(aptTimers);
  });
});

describe("automaticUpdatesKeeper", () => {
  const log = createLogger({ name: "agent", level: "fatal" });
  const settings: AuditSettings = { protectedPorts: [], skipProbes: [], judge: () => "Unknown" };
  const sockets = { listening: async () => [], connections: async () => [] };

  async function keeping(recorded: RecordedHost, change = (host: ChangedHost) => host) {
    const root = await hostTree(recorded);
    const host = change(treeHost(root));
    const keeper = automaticUpdatesKeeper({ ...host, log });
    const check = keeper.checks(CHECKS).find(({ name }) => name === "automatic-updates");
    if (check === undefined) throw new Error("there is no check of automatic updates");
    const subject = auditSubject(host.host, sockets, settings, Date.now());
    return { root, keeper, audit: (): Promise<CheckResult> => check.run(subject) };
  }

  it("switches them on before the check looks, where a policy asks", async () => {
    const { keeper, audit } = await keeping(off);
    expect(await audit()).toMatchObject({ findings: [{ id: "updates.automatic-off" }] });
    await keeper.ask(["workers"]);
    expect(await audit()).toMatchObject({ status: "Checked", findings: [] });
  });

  it("undoes it when nobody asks any more, also what an agent before this one did", async () => {
    const { root, keeper, audit } = await keeping(off);
    const before = await namesOf(root);
    await keeper.ask(["workers"]);
    await audit();
    await automaticUpdatesKeeper({ ...treeHost(root), log }).ask([]);
    expect(await namesOf(root)).toEqual(before);
  });

  it("leaves what an agent before it switched on until it is told who asks", async () => {
    const { root, keeper, audit } = await keeping(off);
    await keeper.ask(["workers"]);
    await audit();
    const files = await contentOf(root);
    const next = automaticUpdatesKeeper({ ...treeHost(root), log });
    const check = next.checks(CHECKS).find(({ name }) => name === "automatic-updates");
    await check?.run(auditSubject(treeHost(root).host, sockets, settings, Date.now()));
    expect(await contentOf(root)).toEqual(files);
  });

  it("names the policies that ask in the file, when they change too", async () => {
    const { root, keeper, audit } = await keeping(off);
    await keeper.ask(["workers"]);
    await audit();
    await keeper.ask(["baseline", "workers"]);
    await audit();
    expect((await contentOf(root))[aptFile]).toContain("baseline, workers.");
  });

  it("says in the finding what kept them off", async () => {
    const { keeper, audit } = await keeping(off, ({ host, changer }) => ({
      host,
      changer: { ...changer, writeFile: () => Promise.reject(new Error("EROFS: read-only file system")) },
    }));
    await keeper.ask(["workers"]);
    const evidence = "APT::Periodic::Update-Package-Lists is not set; not switched on: EROFS: read-only file system";
    expect(await audit()).toMatchObject({ findings: [{ id: "updates.automatic-off", evidence }] });
  });

  it("leaves all other checks as they are", () => {
    const keeper = automaticUpdatesKeeper({ ...treeHost("/nowhere"), log });
    const others = (checks: typeof CHECKS) => checks.filter(({ name }) => name !== "automatic-updates");
    expect(others(keeper.checks(CHECKS))).toEqual(others(CHECKS));
  });
});
