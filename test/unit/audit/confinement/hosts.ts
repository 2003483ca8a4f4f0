import type { RecordedHost } from "../recorded-host.ts";

const osRelease = (id: string) => ({ "/etc/os-release": `ID=${id}\n`, "/sys/kernel/uevent_seqnum": "2000\n" });
const selinuxConfig = (mode: string) =>
  `# This file controls the state of SELinux on the system.\n#     permissive - SELinux prints warnings.\nSELINUX=${mode}\n# SELINUXTYPE= can take one of these values:\nSELINUXTYPE=targeted\n\n\n`;

/** Fedora as it is installed. */
export const fedora: RecordedHost = {
  files: {
    ...osRelease("fedora"),
    "/sys/kernel/security/lsm": "lockdown,capability,yama,selinux,bpf,landlock,ipe,ima,evm",
    "/sys/fs/selinux/enforce": "1",
    "/sys/fs/selinux/policyvers": "33",
    "/etc/selinux/config": selinuxConfig("enforcing"),
  },
};

/** After setenforce 0. */
export const fedoraPermissive: RecordedHost = {
  files: { ...fedora.files, "/sys/fs/selinux/enforce": "0" },
};

/** RHEL booted with selinux=0: selinuxfs is not there, its configuration is. */
export const rhelDisabled: RecordedHost = {
  files: {
    ...osRelease("rhel"),
    "/sys/kernel/security/lsm": "lockdown,capability,yama,bpf",
    "/etc/selinux/config": selinuxConfig("disabled"),
  },
};

export const ubuntu: RecordedHost = {
  files: {
    ...osRelease("ubuntu"),
    "/sys/kernel/security/lsm": "lockdown,capability,landlock,yama,apparmor,ima,evm",
    "/sys/module/apparmor/parameters/enabled": "Y\n",
    "/sys/module/apparmor/parameters/mode": "enforce\n",
  },
};

/** Ubuntu with apparmor=0: the module is built in, so its parameters stay. */
export const ubuntuWithout: RecordedHost = {
  files: {
    ...osRelease("ubuntu"),
    "/sys/kernel/security/lsm": "lockdown,capability,landlock,yama",
    "/sys/module/apparmor/parameters/enabled": "N\n",
  },
};

/** A kernel built without either, and securityfs not mounted. */
export const plain: RecordedHost = { files: osRelease("alpine") };
