/** How AppArmor holds a process. */
export interface AppArmorLabel {
  readonly profile: string;
  /** `enforce`, `complain`, `kill`, `mixed`, ...; `unconfined` also for a process without a profile. */
  readonly mode: string;
}

/** Reads `/usr/sbin/nginx (enforce)`, `cri-containerd.apparmor.d (enforce)`, `unconfined` (aa_splitcon(3)). */
export function parseAppArmorLabel(text: string): AppArmorLabel {
  const [, profile, mode] = /^(.*) \((\w+)\)$/s.exec(text) ?? [];
  return profile === undefined || mode === undefined ? { profile: text, mode: "unconfined" } : { profile, mode };
}

/** A complaining profile lets everything pass; of stacked profiles (`mixed`) at least one does not, or they would agree. */
export function isEnforced({ mode }: AppArmorLabel): boolean {
  return mode !== "unconfined" && mode !== "complain";
}
