import { describe, expect, it } from "vitest";
import { checkPendingReboot } from "../../../../src/audit/updates/pending-reboot.ts";
import { changed, hostView, type RecordedHost, without } from "../recorded-host.ts";
import { debian } from "./hosts/debian.ts";
import { imageHosts } from "./hosts/other.ts";
import { alma, fedora } from "./hosts/red-hat.ts";
import { ubuntu } from "./hosts/ubuntu.ts";

const check = (host: RecordedHost) => checkPendingReboot(hostView(host));

async function evidence(host: RecordedHost): Promise<string[]> {
  const result = await check(host);
  if (result.status !== "Checked") throw new Error(`not checked: ${result.reason}`);
  expect(new Set(result.findings.map(({ id }) => id))).toEqual(
    new Set(result.findings.length > 0 ? ["updates.reboot-pending"] : []),
  );
  return result.findings.map((finding) => finding.evidence);
}

describe("Debian and Ubuntu", () => {
  it("finds nothing where the newest kernel of its flavour runs", async () => {
    expect(await check(debian)).toEqual({ status: "Checked", examined: 2, findings: [] });
  });

  it("says which packages asked for a reboot", async () => {
    expect(await evidence(ubuntu)).toEqual([
      "/run/reboot-required, for: libc6, linux-base, linux-image-6.8.0-51-generic",
    ]);
  });

  it("compares kernels where nobody writes that file", async () => {
    const host = without(ubuntu, "/run/reboot-required", "/run/reboot-required.pkgs");
    expect(await evidence(host)).toEqual(["runs kernel 6.8.0-49-generic, installed is 6.8.0-51-generic"]);
  });

  it("orders versions by number, and knows the names since Debian 13", async () => {
    const trixie = changed(debian, {
      files: { "/boot/vmlinuz-6.12.38+deb13-amd64": "", "/boot/vmlinuz-6.9.9-amd64": "" },
    });
    expect(await evidence(trixie)).toEqual(["runs kernel 6.1.0-38-amd64, installed is 6.12.38+deb13-amd64"]);
  });

  it("sees a kernel that was rebuilt under the same name", async () => {
    const status = debian.files["/var/lib/dpkg/status"]?.replace("6.1.147-1", "6.1.148-1") ?? "";
    expect(await evidence(changed(debian, { files: { "/var/lib/dpkg/status": status } }))).toEqual([
      "runs kernel 6.1.0-38-amd64 of version 6.1.147-1, installed is 6.1.148-1",
    ]);
  });

  it("is not checked where the running kernel is none of the installed ones", async () => {
    const host = changed(debian, { files: { "/proc/sys/kernel/osrelease": "6.18.9-custom\n" } });
    expect(await check(host)).toMatchObject({ status: "NotChecked", reason: expect.stringContaining("6.18.9-custom") });
  });
});

describe("dnf", () => {
  it("finds a kernel that was installed after the start", async () => {
    expect(await evidence(alma)).toEqual(["installed since the start: kernel-core 5.14.0-503.11.1.el9_5"]);
  });

  it("finds nothing where all that matters was there at the start", async () => {
    expect(await check(fedora)).toEqual({ status: "Checked", examined: 5, findings: [] });
  });

  it.each([
    ["rpm is missing", { ...fedora, commands: {} }, "no rpm"],
    ["the start is unknown", without(fedora, "/proc/stat"), "/proc/stat"],
  ])("is not checked where %s", async (_, host, reason) => {
    expect(await check(host)).toMatchObject({ status: "NotChecked", reason: expect.stringContaining(reason) });
  });
});

it.each(Object.entries(imageHosts))("is not checked on %s", async (_, host) => {
  expect((await check(host)).status).toBe("NotChecked");
});
