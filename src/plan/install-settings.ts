/** What is fixed when the operator is installed, for all nodes: a file that agent, controller and command line read. */
import * as z from "zod";
import { explainIssue, problemsOf } from "../api/issue.ts";
import { DNS_LABEL } from "../api/named.ts";
import { PROTOCOLS, portList } from "../api/ports.ts";
import { SchemaError } from "../api/schema-error.ts";
import { DEFAULT_ALLOWED_SYSCTLS } from "./allowed-sysctls.ts";
import type { Failsafe, Failsafes } from "./node-plan.ts";
import { DEFAULT_NODE_SETTINGS, type NodeSettings } from "./node-settings.ts";
import { parsePorts } from "./ports.ts";

const failsafe = z.strictObject({
  name: z.string().regex(DNS_LABEL, "must be a DNS label"),
  protocol: z.enum(PROTOCOLS),
  ports: portList(1, 16),
  peers: z.enum(["Everybody", "Nodes"]),
});
const failsafes = z.array(failsafe).max(64).default([]);

/** The file's form. The chart's values take it from here. */
export const installSettingsSchema = z.strictObject({
  allowedSysctls: z
    .array(
      z
        .string()
        .regex(/^(net|kernel|vm|fs)(\.[a-z0-9_*-]+)+$/, "must be dotted, * for a part: net.ipv4.conf.*.rp_filter"),
    )
    .optional(),
  podInterfaces: z
    .array(
      z
        .string()
        .max(15)
        .regex(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]*\+?$/, "must be an interface or a pattern such as cali+"),
    )
    .optional(),
  podsOnUplink: z.boolean().optional(),
  failsafes: z.strictObject({ inbound: failsafes, outbound: failsafes }).optional(),
});

export interface InstallSettings {
  /** Patterns as in `AllowedSysctl.pattern`. */
  readonly allowedSysctls: readonly string[];
  readonly node: NodeSettings;
}

/** `value` is what the file holds; undefined: there is none. Throws SchemaError naming the fields. */
export function parseInstallSettings(value: unknown): InstallSettings {
  const { success, data, error } = installSettingsSchema.safeParse(value ?? {}, {
    error: explainIssue,
    reportInput: true,
  });
  if (!success) throw new SchemaError("settings", error.issues.flatMap(problemsOf));
  const { allowedSysctls, podInterfaces, podsOnUplink, failsafes: more } = data;
  const { failsafes: always } = DEFAULT_NODE_SETTINGS;
  return {
    allowedSysctls: allowedSysctls ?? DEFAULT_ALLOWED_SYSCTLS.map(({ pattern }) => pattern),
    node: {
      ...DEFAULT_NODE_SETTINGS,
      ...(podInterfaces !== undefined && { podInterfaces }),
      ...(podsOnUplink !== undefined && { podsOnUplink }),
      // Added to ours, never in their place: without these a node can be lost.
      failsafes: {
        inbound: [...always.inbound, ...(more?.inbound ?? []).map(compiled)],
        outbound: [...always.outbound, ...(more?.outbound ?? []).map(compiled)],
      } satisfies Failsafes,
    },
  };
}

function compiled({ ports, ...rest }: z.output<typeof failsafe>): Failsafe {
  return { ...rest, ports: parsePorts(ports), origin: "Installed" };
}
