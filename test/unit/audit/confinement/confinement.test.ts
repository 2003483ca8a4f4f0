import { expect, it } from "vitest";
import { checkConfinement } from "../../../../src/audit/confinement/check-confinement.ts";
import type { RecordedHost } from "../recorded-host.ts";
import { ownNetwork, type ProcessSpec, recordedProcess } from "../recorded-process.ts";
import { recordedSubject, tcp } from "../subject.ts";
import { fedora, fedoraPermissive, plain, ubuntu } from "./hosts.ts";

/** One process that listens on 8080. */
function check(host: RecordedHost, process: Partial<ProcessSpec>, ...more: readonly RecordedHost[]) {
  const spec = { pid: 70, name: "server", sockets: [1], ...process };
  const hosts = [host, ownNetwork, recordedProcess(spec), ...more];
  return checkConfinement(recordedSubject({ hosts, listening: [tcp(8080, 1)] }));
}

it.each([
  "system_u:system_r:httpd_t:s0\0",
  "system_u:system_r:container_t:s0:c12,c700\0",
  "system_u:system_r:sshd_t:s0-s0:c0.c1023\0",
  "system_u:system_r:named_t\0",
])("passes the SELinux context %j", async (label) => {
  expect(await check(fedora, { label })).toEqual({ status: "Checked", examined: 1, findings: [] });
});

it.each([
  "system_u:system_r:unconfined_service_t:s0\0",
  "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0",
  "system_u:system_r:initrc_t:s0\0",
  "system_u:system_r:spc_t:s0\0",
  "system_u:system_r:tomcat_t:s0\0",
  "system_u:system_r:samba_unconfined_net_t:s0\0",
  "kernel\0",
])("names the process with the SELinux context %j", async (label) => {
  expect(await check(fedora, { label })).toMatchObject({
    examined: 1,
    findings: [
      {
        id: "confinement.selinux-unconfined",
        severity: "medium",
        subject: "TCP 0.0.0.0:8080 server",
        evidence: `runs as ${label.slice(0, -1)}: pid 70, user 0, /system.slice/server.service`,
      },
    ],
  });
});

it("looks at contexts under a permissive SELinux too", async () => {
  const label = "system_u:system_r:unconfined_service_t:s0\0";
  expect(await check(fedoraPermissive, { label })).toMatchObject({
    findings: [{ id: "confinement.selinux-unconfined" }],
  });
});

it.each([
  "/usr/sbin/nginx (enforce)\n",
  "cri-containerd.apparmor.d (enforce)\n",
  "docker-default (enforce)\n",
  "strict (kill)\n",
  "lxd-c_</var/lib/lxd>//&:lxd-c:unconfined (mixed)\n",
])("passes the AppArmor label %j", async (label) => {
  expect(await check(ubuntu, { label })).toEqual({ status: "Checked", examined: 1, findings: [] });
});

it.each([
  ["unconfined\n", "confinement.apparmor-unconfined", "runs as unconfined: "],
  ["chrome (unconfined)\n", "confinement.apparmor-unconfined", "runs as chrome (unconfined): "],
  ["/usr/sbin/dnsmasq (complain)\n", "confinement.apparmor-complain", "profile /usr/sbin/dnsmasq only complains: "],
])("names the process with the AppArmor label %j", async (label, id, evidence) => {
  expect(await check(ubuntu, { label })).toMatchObject({
    findings: [{ id, severity: "medium", evidence: `${evidence}pid 70, user 0, /system.slice/server.service` }],
  });
});

it("reads AppArmor's own place first, where another module has the common one", async () => {
  const labels = { apparmor: "nginx (enforce)\n", label: "unconfined\n" };
  expect(await check(ubuntu, labels)).toMatchObject({ findings: [] });
});

it("judges a process once, names it on each of its ports, and those on other ports not at all", async () => {
  const hosts = [
    ubuntu,
    ownNetwork,
    recordedProcess({ pid: 70, name: "server", sockets: [1, 2], label: "unconfined\n" }),
    recordedProcess({ pid: 71, name: "sshd", sockets: [3], label: "unconfined\n" }),
  ];
  const listening = [tcp(8080, 1), tcp(8080, 1, "::"), tcp(8081, 2), tcp(22, 3)];
  const result = await checkConfinement(recordedSubject({ hosts, listening }));
  expect(result).toMatchObject({
    examined: 1,
    findings: [
      { subject: "TCP 0.0.0.0:8080 server", port: 8080 },
      { subject: "TCP 0.0.0.0:8081 server", port: 8081 },
    ],
  });
});

it("says where no process is to be seen, without counting it as confined", async () => {
  expect(await check(ubuntu, { sockets: [] })).toMatchObject({
    examined: 0,
    findings: [{ id: "confinement.process-unknown", severity: "low", subject: "TCP 0.0.0.0:8080" }],
  });
});

it("does not pass where nothing confines, or labels are refused, or processes hidden", async () => {
  expect(await check(plain, {})).toMatchObject({
    status: "NotChecked",
    reason: expect.stringMatching(/nothing confines/),
  });
  const hidden = { files: {}, refused: { "/proc/70/fd": "EACCES" } as const };
  expect(await check(ubuntu, {}, hidden)).toMatchObject({ status: "NotChecked" });
  const refused = { files: {}, refused: { "/proc/70/attr/current": "EACCES" } as const };
  await expect(check(ubuntu, {}, refused)).rejects.toThrow("EACCES");
});
