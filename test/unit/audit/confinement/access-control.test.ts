import { expect, it } from "vitest";
import { checkAccessControl } from "../../../../src/audit/confinement/check-access-control.ts";
import type { RecordedHost } from "../recorded-host.ts";
import { recordedSubject } from "../subject.ts";
import { fedora, fedoraPermissive, plain, rhelDisabled, ubuntu, ubuntuWithout } from "./hosts.ts";

const check = (...hosts: readonly RecordedHost[]) => checkAccessControl(recordedSubject({ hosts }));

it.each([
  ["Fedora, SELinux enforcing", fedora],
  ["Ubuntu, AppArmor", ubuntu],
])("passes %s", async (_, host) => {
  expect(await check(host)).toEqual({ status: "Checked", examined: 1, findings: [] });
});

it.each([
  ["SELinux permissive", fedoraPermissive, "confinement.selinux-permissive", /enforce is 0, policy targeted/],
  ["SELinux disabled", rhelDisabled, "confinement.none", /config says disabled/],
  ["AppArmor off", ubuntuWithout, "confinement.none", /lockdown, capability, landlock, yama: neither/],
  ["a kernel with neither", plain, "confinement.none", /neither SELinux nor AppArmor/],
])("finds %s", async (_, host, id, evidence) => {
  expect(await check(host)).toMatchObject({
    findings: [{ id, severity: "high", evidence: expect.stringMatching(evidence) }],
  });
});

it("finds that SELinux will not enforce after the next boot", async () => {
  const files = { "/etc/selinux/config": rhelDisabled.files["/etc/selinux/config"] ?? "" };
  expect(await check(fedora, { files })).toMatchObject({
    findings: [
      {
        id: "confinement.selinux-not-kept",
        severity: "medium",
        evidence: expect.stringMatching(/disabled for the next boot/),
      },
    ],
  });
});

it("does not pass where the host's /sys is not to be seen", async () => {
  expect(await check({ files: { "/etc/os-release": "ID=fedora\n" } })).toMatchObject({ status: "NotChecked" });
});

it("does not pass where SELinux runs and its state is not to be seen", async () => {
  const { "/sys/fs/selinux/enforce": _, "/sys/fs/selinux/policyvers": __, ...files } = fedora.files;
  expect(await check({ files })).toEqual({
    status: "NotChecked",
    reason: "SELinux runs, but /sys/fs/selinux is not mounted here",
  });
});

it("does not judge a module that it does not know", async () => {
  const files = { "/sys/kernel/security/lsm": "capability,smack" };
  expect(await check(plain, { files })).toMatchObject({ status: "NotChecked", reason: expect.stringMatching(/smack/) });
});
