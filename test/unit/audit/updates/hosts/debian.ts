import { days, type RecordedHost, recordedAt } from "../../recorded-host.ts";

function release(suite: string, date: string): string {
  return `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Label: Debian${suite.endsWith("-security") ? "-Security" : ""}
Suite: ${suite}
Version: 12
Codename: ${suite.replace("oldstable", "bookworm")}
Date: ${date}
Acquire-By-Hash: yes
Components: main contrib non-free non-free-firmware
SHA256:
 4d0ed8a3a3e4b8c2f6c7a1 1234 main/binary-amd64/Packages.xz
`;
}

/** As `apt list --upgradable -a` prints it: each package a block, newest version first. */
const upgradable = `Listing...
apt/oldstable-security 2.6.2 amd64 [upgradable from: 2.6.1]
apt/oldstable,now 2.6.1 amd64 [installed,upgradable to: 2.6.2]

base-files/oldstable 12.4+deb12u15 amd64 [upgradable from: 12.4+deb12u11]
base-files/now 12.4+deb12u11 amd64 [installed,upgradable to: 12.4+deb12u15]

curl/oldstable 7.88.1-10+deb12u15 amd64 [upgradable from: 7.88.1-10+deb12u12]
curl/oldstable-security 7.88.1-10+deb12u14 amd64
curl/now 7.88.1-10+deb12u12 amd64 [installed,upgradable to: 7.88.1-10+deb12u15]

linux-libc-dev/oldstable-security 6.1.192-2 amd64 [upgradable from: 6.1.137-1]
linux-libc-dev/now 6.1.137-1 amd64 [installed,upgradable to: 6.1.192-2]

python3-jwt/oldstable,oldstable-security 2.6.0-1+deb12u1 all [upgradable from: 2.6.0-1]
python3-jwt/now 2.6.0-1 all [installed,upgradable to: 2.6.0-1+deb12u1]

`;

export const upToDate = `Listing...
`;

/** Its installed version came from the security suite itself. */
export const onlyOtherUpdates = `Listing...
sed/oldstable 4.9-1+deb12u1 amd64 [upgradable from: 4.9-1]
sed/oldstable-security,now 4.9-1 amd64 [installed,upgradable to: 4.9-1+deb12u1]

`;

export const securityList = "/var/lib/apt/lists/deb.debian.org_debian-security_dists_bookworm-security_InRelease";

/** `apt-config dump`, the lines that matter and their neighbours. */
export const aptConfig = `APT "";
APT::Architecture "amd64";
APT::Periodic "";
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade "";
Unattended-Upgrade::Origins-Pattern "";
Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=\${distro_codename},label=Debian";
Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=\${distro_codename}-security,label=Debian-Security";
DPkg "";
`;

const unit = "[Unit]\nDescription=Daily apt activities\n";

/** Debian 12 with unattended-upgrades, security updates pending, the newest kernel running. */
export const debian: RecordedHost = {
  files: {
    "/etc/os-release":
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    "/usr/bin/apt-get": "",
    "/usr/bin/unattended-upgrade": "",
    "/run/systemd/system/.keep": "",
    "/usr/lib/systemd/system/apt-daily.timer": unit,
    "/usr/lib/systemd/system/apt-daily-upgrade.timer": unit,
    "/var/lib/apt/lists/lock": "",
    "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease": release(
      "oldstable",
      "Sat, 17 May 2026 09:06:22 UTC",
    ),
    [securityList]: release("oldstable-security", "Sun, 22 Nov 2026 20:14:05 UTC"),
    "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages": "",
    "/var/lib/apt/periodic/upgrade-stamp": "",
    "/proc/stat": `cpu  1 2 3\nbtime ${(recordedAt - days(30)) / 1000}\nprocesses 1\n`,
    "/proc/sys/kernel/osrelease": "6.1.0-38-amd64\n",
    "/proc/version":
      "Linux version 6.1.0-38-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.147-1 (2026-08-02)\n",
    "/boot/vmlinuz-6.1.0-37-amd64": "",
    "/boot/vmlinuz-6.1.0-38-amd64": "",
    "/boot/vmlinuz-6.1.0-39-cloud-amd64": "",
    "/boot/config-6.1.0-38-amd64": "",
    "/var/lib/dpkg/status":
      "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n\nPackage: linux-image-6.1.0-38-amd64\nStatus: install ok installed\nArchitecture: amd64\nVersion: 6.1.147-1\nDescription: Linux 6.1\n\nPackage: zlib1g\nVersion: 1\n",
  },
  links: {
    "/etc/systemd/system/timers.target.wants/apt-daily.timer": "/lib/systemd/system/apt-daily.timer",
    "/etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer": "/lib/systemd/system/apt-daily-upgrade.timer",
  },
  commands: {
    apt: {
      stdout: upgradable,
      stderr: "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n",
    },
    "apt-config": { stdout: aptConfig },
    systemctl: { stdout: "active\n" },
  },
};
