import { days, type RecordedHost, recordedAt } from "../../recorded-host.ts";

/** Ubuntu 24.04: update-notifier asks for a reboot, one update comes from the ESM suite; security updates stand in both pockets. */
export const ubuntu: RecordedHost = {
  files: {
    "/etc/os-release":
      'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n',
    "/usr/bin/apt-get": "",
    "/usr/bin/unattended-upgrade": "",
    "/run/systemd/system/.keep": "",
    "/usr/lib/systemd/system/apt-daily.timer": "[Timer]\n",
    "/usr/lib/systemd/system/apt-daily-upgrade.timer": "[Timer]\n",
    "/var/lib/apt/lists/archive.ubuntu.com_ubuntu_dists_noble_InRelease":
      "Origin: Ubuntu\nLabel: Ubuntu\nSuite: noble\nDate: Thu, 25 Apr 2024 15:10:33 UTC\n",
    "/var/lib/apt/lists/security.ubuntu.com_ubuntu_dists_noble-security_InRelease":
      "Origin: Ubuntu\nLabel: Ubuntu\nSuite: noble-security\nVersion: 24.04\nDate: Mon, 23 Nov 2026  8:43:29 UTC\n",
    "/run/reboot-required": "*** System restart required ***\n",
    "/run/reboot-required.pkgs": "linux-image-6.8.0-51-generic\nlinux-base\nlinux-base\nlibc6\n",
    "/proc/stat": `btime ${(recordedAt - days(3)) / 1000}\n`,
    "/proc/sys/kernel/osrelease": "6.8.0-49-generic\n",
    "/proc/version": "Linux version 6.8.0-49-generic (buildd@lcy02-amd64-103) #49-Ubuntu SMP PREEMPT_DYNAMIC\n",
    "/boot/vmlinuz-6.8.0-49-generic": "",
    "/boot/vmlinuz-6.8.0-51-generic": "",
  },
  links: {
    "/boot/vmlinuz": "vmlinuz-6.8.0-51-generic",
    "/etc/systemd/system/timers.target.wants/apt-daily.timer": "/usr/lib/systemd/system/apt-daily.timer",
    "/etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer":
      "/usr/lib/systemd/system/apt-daily-upgrade.timer",
  },
  commands: {
    apt: {
      stdout: `Listing...
libssl3t64/noble-updates,noble-security 3.0.13-0ubuntu3.5 amd64 [upgradable from: 3.0.13-0ubuntu3.4]
libssl3t64/noble-updates,now 3.0.13-0ubuntu3.4 amd64 [installed,upgradable to: 3.0.13-0ubuntu3.5]
libssl3t64/noble 3.0.13-0ubuntu3 amd64

openssl/noble-updates,noble-security 3.0.13-0ubuntu3.5 amd64 [upgradable from: 3.0.13-0ubuntu3.4]
openssl/now 3.0.13-0ubuntu3.4 amd64 [installed,upgradable to: 3.0.13-0ubuntu3.5]

python3-aiohttp/noble-apps-security 3.9.1-1ubuntu0.1+esm1 amd64 [upgradable from: 3.9.1-1]
python3-aiohttp/noble,now 3.9.1-1 amd64 [installed,upgradable to: 3.9.1-1ubuntu0.1+esm1]

snapd/noble-updates 2.66.1+24.04 amd64 [upgradable from: 2.65.3+24.04]
snapd/noble-updates,now 2.65.3+24.04 amd64 [installed,upgradable to: 2.66.1+24.04]

`,
    },
    "apt-config": {
      stdout: `APT::Periodic "";
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Download-Upgradeable-Packages "0";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Allowed-Origins "";
Unattended-Upgrade::Allowed-Origins:: "\${distro_id}:\${distro_codename}";
Unattended-Upgrade::Allowed-Origins:: "\${distro_id}:\${distro_codename}-security";
`,
    },
    systemctl: { stdout: "active\n" },
  },
};
