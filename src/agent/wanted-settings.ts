import { clipText } from "../api/condition.ts";
import { OBSERVED_MAX, type WantedOnNode } from "../api/observed.ts";
import type { WantedSetting } from "../plan/observed-types.ts";
import { formatReservedPorts, parseReservedPorts } from "../plan/port-sysctls.ts";
import { subtractPorts } from "../plan/ports.ts";

const VALUE_MAX = 256;

/** Settings that policies in mode Observe would change, against what was measured; pure. */
export function differingSettings(
  wanted: readonly WantedSetting[],
  measured: ReadonlyMap<string, string | undefined>,
): WantedOnNode[] {
  const differing = wanted.flatMap(({ policy, key, value, match }) => {
    const now = words(measured.get(key) ?? "");
    const missing = match === "Contains" ? missingPorts(value, now) : words(value) === now ? "" : value;
    if (missing === "") return [];
    return [{ policy, key, value: clipText(missing, VALUE_MAX), measured: clipText(now, VALUE_MAX) }];
  });
  return differing.slice(0, OBSERVED_MAX);
}

function missingPorts(value: string, measured: string): string {
  return formatReservedPorts(subtractPorts(parseReservedPorts(value), parseReservedPorts(measured)));
}

/** The kernel prints tabs between numbers. */
function words(value: string): string {
  return value.trim().split(/\s+/).join(" ");
}
