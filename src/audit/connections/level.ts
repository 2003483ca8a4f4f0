import type { Severity } from "../../api/audit.ts";

/** From here on somebody should look; half of what is left then is gone soon. */
const MEDIUM_PERCENT = 75;
const HIGH_PERCENT = 90;

/** How bad it is that `used` of `size` are gone; undefined where it is not. */
export function levelOf(used: number, size: number): Severity | undefined {
  const percent = (used * 100) / size;
  if (percent >= HIGH_PERCENT) return "high";
  return percent >= MEDIUM_PERCENT ? "medium" : undefined;
}
