/** The files that are ours alone where automatic updates are switched on, and what stands in them. */

/** Behind all others in apt.conf.d, so that it wins; /etc/apt/apt.conf is read later still. */
export const APT_FILE = "/etc/apt/apt.conf.d/zz-porthardening";
/** A drop-in that enables: `systemctl enable` would make links which are not ours to remove. */
export const TIMERS_FILE = "/etc/systemd/system/timers.target.d/porthardening.conf";
export const SERVICE_FILE = "/etc/systemd/system/dnf5-automatic.service.d/porthardening.conf";
export const OWN_FILES = [APT_FILE, TIMERS_FILE, SERVICE_FILE] as const;

const WRITTEN_BY = "Written by port-hardening";
const RAN_BEFORE = "# Not enabled before, but running: ";
/** Policies that a header names. */
const NAMES_MAX = 10;

/** For people who find the file. Told apart by it from one of somebody else under the same name. */
export function headerFor(policies: readonly string[]): string {
  const more = policies.length - NAMES_MAX;
  const names = policies.slice(0, NAMES_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return `${WRITTEN_BY} as policies ask for it (securityUpdates.automatic: Ensure): ${names}. Removed when none does any more.`;
}

export function isOurs(content: string): boolean {
  return content.split("\n", 1)[0]?.includes(WRITTEN_BY) === true;
}

export function aptSettings(distribution: string): string {
  const origin =
    distribution === "ubuntu"
      ? 'Unattended-Upgrade::Allowed-Origins:: "${distro_id}:${distro_codename}-security";'
      : 'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";';
  return [
    'APT::Periodic::Enable "1";',
    'APT::Periodic::Update-Package-Lists "1";',
    'APT::Periodic::Unattended-Upgrade "1";',
    // A list grows by `::`: what the host allows already stays.
    origin,
    "",
  ].join("\n");
}

export function serviceDropIn(header: string): string {
  // An empty one forgets the command of the unit; a service of type oneshot would run both.
  return `# ${header}\n[Service]\nExecStart=\nExecStart=/usr/bin/dnf5 automatic --timer --installupdates\n`;
}

/** @param running those of `timers` that ran before, though nothing enabled them: they go on when this file goes. */
export function timersDropIn(header: string, timers: readonly string[], running: readonly string[]): string {
  const remark = running.length === 0 ? "" : `${RAN_BEFORE}${running.join(" ")}\n`;
  return `# ${header}\n${remark}[Unit]\nWants=${timers.join(" ")}\n`;
}

/** The remark in `timersDropIn`. */
export function ranBefore(dropIn: string): string[] {
  const line = dropIn.split("\n").find((text) => text.startsWith(RAN_BEFORE));
  return line === undefined ? [] : line.slice(RAN_BEFORE.length).split(" ");
}
