/** Whether the host installs security updates by itself. */
export type AutomaticState =
  /** `lastRunAt`: when it last ran to its end as far as the host tells, ms since 1970. */
  | { readonly kind: "On"; readonly by: string; readonly lastRunAt: number | undefined }
  /** `why` in words. */
  | { readonly kind: "Off"; readonly why: string; readonly remedy: string };
