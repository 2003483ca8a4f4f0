import { describe, expect, it } from "vitest";
import { checkPendingUpdates } from "../../../../src/audit/updates/pending-updates.ts";
import { changed, days, hostView, type RecordedHost, recordedAt, without } from "../recorded-host.ts";
import { debian, onlyOtherUpdates, securityList, upToDate } from "./hosts/debian.ts";
import { imageHosts } from "./hosts/other.ts";
import { alma, baseosIndex, fedora, updatesIndex } from "./hosts/red-hat.ts";
import { ubuntu } from "./hosts/ubuntu.ts";

const lists = Object.keys(debian.files).filter((path) => path.startsWith("/var/lib/apt/lists/"));

const check = (host: RecordedHost, now = recordedAt) => checkPendingUpdates(hostView(host), now);

async function findings(host: RecordedHost, now = recordedAt) {
  const result = await check(host, now);
  if (result.status !== "Checked") throw new Error(`not checked: ${result.reason}`);
  return result.findings.map(({ id, severity, evidence }) => ({ id, severity, evidence }));
}

describe("apt", () => {
  it("names the packages that have a newer version in a security suite, also where the candidate comes from another", async () => {
    expect(await findings(debian)).toEqual([
      {
        id: "updates.security-pending",
        severity: "high",
        evidence:
          "4 pending: apt 2.6.2, curl 7.88.1-10+deb12u14, linux-libc-dev 6.1.192-2, python3-jwt 2.6.0-1+deb12u1",
      },
    ]);
  });

  it("knows the pockets of Ubuntu and its ESM", async () => {
    expect((await findings(ubuntu)).map(({ evidence }) => evidence)).toEqual([
      "3 pending: libssl3t64 3.0.13-0ubuntu3.5, openssl 3.0.13-0ubuntu3.5, python3-aiohttp 3.9.1-1ubuntu0.1+esm1",
    ]);
  });

  it.each([
    ["nothing can be upgraded", upToDate],
    ["only other updates are pending, and the installed version is of the security suite", onlyOtherUpdates],
  ])("finds nothing where %s", async (_, stdout) => {
    const result = await check(changed(debian, { commands: { apt: { stdout } } }));
    expect(result).toEqual({ status: "Checked", examined: 1, findings: [] });
  });

  it("does not believe that nothing is pending when the list is old, by the date that the archive signed", async () => {
    const host = changed(debian, { commands: { apt: { stdout: upToDate } }, modified: { [securityList]: recordedAt } });
    expect(await findings(host, recordedAt + days(3))).toEqual([]);
    expect(await findings(host, recordedAt + days(53))).toEqual([
      {
        id: "updates.lists-stale",
        severity: "medium",
        evidence: "The list of oldstable-security is of 2026-11-22, 53 days old: updates that came since are unknown",
      },
    ]);
  });

  it("reports a Debian whose sources hold no security suite, and does not judge a distribution that has none", async () => {
    const host = without(debian, securityList);
    expect((await findings(host)).map(({ id }) => id)).toEqual(["updates.no-security-source"]);
    const kali = changed(host, { files: { "/etc/os-release": "ID=kali\nID_LIKE=debian\n" } });
    expect(await check(kali)).toMatchObject({
      status: "NotChecked",
      reason: expect.stringContaining("security suite"),
    });
  });

  it.each<[string, RecordedHost, string]>([
    ["there are no lists", without(debian, ...lists), "apt-get update never ran"],
    [
      "apt fails",
      changed(debian, { commands: { apt: { exitCode: 100, stderr: "E: The package cache file is corrupted\n" } } }),
      "corrupted",
    ],
  ])("is not checked where %s", async (_, host, reason) => {
    expect(await check(host)).toMatchObject({ status: "NotChecked", reason: expect.stringContaining(reason) });
  });
});

describe("dnf", () => {
  it("takes the severity of the worst advisory, and names it first (dnf 4)", async () => {
    expect(await findings(alma)).toEqual([
      {
        id: "updates.security-pending",
        severity: "high",
        evidence:
          "3 pending: krb5-libs-1.21.1-4.el9_5.x86_64 (ALSA-2024:9474), kernel-core-5.14.0-503.14.1.el9_5.x86_64 (ALSA-2024:8856), openssl-libs-1:3.2.2-6.el9_5.x86_64 (ALSA-2024:9333)",
      },
    ]);
  });

  it("reads the table of dnf 5, where the severity may be missing", async () => {
    const [finding, ...others] = await findings(fedora);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ id: "updates.security-pending", severity: "critical" });
    expect(finding?.evidence).toMatch(
      /^3 pending: xz-1:5.6.3-2.fc41.x86_64 \(FEDORA-2026-3ad5a1b5f2\), vim-minimal-2:/,
    );
  });

  it.each([
    ["dnf 4", changed(alma, { commands: { dnf: {} }, modified: { [baseosIndex]: recordedAt - days(8) } }), "baseos"],
    [
      "dnf 5",
      changed(fedora, { commands: { dnf5: {} }, modified: { [updatesIndex]: recordedAt - days(8) } }),
      "updates",
    ],
  ])("does not believe an old list (%s)", async (_, host, name) => {
    expect(await findings(host)).toMatchObject([
      {
        id: "updates.lists-stale",
        evidence: expect.stringMatching(new RegExp(`^The list of ${name} is .* 8 days old`)),
      },
    ]);
  });

  it("examines the repositories that tell which updates are security updates", async () => {
    expect(await check(changed(fedora, { commands: { dnf5: {} } }))).toEqual({
      status: "Checked",
      examined: 1,
      findings: [],
    });
    expect(await check(changed(alma, { commands: { dnf: {} } }))).toEqual({
      status: "Checked",
      examined: 2,
      findings: [],
    });
  });

  it.each<[string, RecordedHost, string]>([
    [
      "no repository has updateinfo, as on CentOS Stream",
      changed(fedora, { files: { [updatesIndex]: "<repomd/>" } }),
      "no enabled repository tells",
    ],
    [
      "nothing was ever fetched",
      without(fedora, updatesIndex, "/var/cache/libdnf5/fedora-f8b0f8e4ed3ba1a6/repodata/repomd.xml"),
      "never ran",
    ],
    [
      "another dnf holds the lock",
      changed(alma, { commands: { dnf: { exitCode: 200, stderr: "Error: Failed to obtain the metadata lock\n" } } }),
      "metadata lock",
    ],
    [
      "Amazon Linux sees none in its own release",
      changed(alma, { files: { "/etc/os-release": 'ID="amzn"\n' }, commands: { dnf: {} } }),
      "check-release-update",
    ],
  ])("is not checked where %s", async (_, host, reason) => {
    expect(await check(host)).toMatchObject({ status: "NotChecked", reason: expect.stringContaining(reason) });
  });
});

it("only lists: never updates lists, installs, or takes a lock that others wait for", async () => {
  const asked: string[] = [];
  for (const host of [debian, ubuntu, alma, fedora]) await checkPendingUpdates(hostView(host, asked), recordedAt);
  expect(asked.filter((it) => !it.startsWith("/"))).toEqual([
    "apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable -a",
    "apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable -a",
    "dnf -C -q --setopt=exit_on_lock=True --setopt=logfilelevel=0 updateinfo list --security",
    "dnf5 -C -q advisory list --security",
  ]);
});

it.each(Object.entries(imageHosts))("is not checked on %s, and says why", async (_, host) => {
  const result = await check(host);
  expect(result.status).toBe("NotChecked");
  expect(result).toHaveProperty("reason", expect.stringMatching(/whole image|neither apt nor dnf|no os-release/));
});
