import type { RecordedHost } from "../../recorded-host.ts";

/** Hosts without packages that could be pending, by what they are. */
export const imageHosts: Readonly<Record<string, RecordedHost>> = {
  Talos: {
    files: { "/etc/os-release": 'NAME="Talos"\nID=talos\nVERSION_ID=v1.11.2\nPRETTY_NAME="Talos (v1.11.2)"\n' },
  },
  Flatcar: {
    files: {
      "/usr/lib/os-release":
        'NAME="Flatcar Container Linux by Kinvolk"\nID=flatcar\nID_LIKE=coreos\nPRETTY_NAME="Flatcar Container Linux by Kinvolk 4230.2.2 (Oklo)"\n',
    },
  },
  "Fedora CoreOS": {
    files: {
      "/etc/os-release": 'NAME="Fedora Linux"\nID=fedora\nVARIANT_ID=coreos\nPRETTY_NAME="Fedora CoreOS 41"\n',
      "/run/ostree-booted": "",
      "/usr/bin/dnf5": "",
    },
  },
  openSUSE: {
    files: { "/etc/os-release": 'NAME="openSUSE Leap"\nID="opensuse-leap"\nPRETTY_NAME="openSUSE Leap 15.6"\n' },
  },
  "a host without os-release": { files: { "/usr/bin/apt-get": "" } },
};
