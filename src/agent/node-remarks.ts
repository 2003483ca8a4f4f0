import type { Kernel, ListeningPort } from "../kernel/kernel.ts";
import { LOCAL_RESERVED_PORTS, parseReservedPorts } from "../plan/port-sysctls.ts";
import type { Plan, PortRange } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Enforcement } from "./enforcement.ts";
import { listenerRemarks, overrideRemarks, type Remark } from "./port-remarks.ts";

/** What is odd on the node about settings that hold: said at the policies, and no reason to fail any. */
export interface NodeRemarks {
  /** Looks where that is due: something else is enforced, or the last look was long ago. Never throws. */
  refresh(held: Enforcement | undefined): Promise<void>;
  of(policy: string): readonly Remark[];
}

const LOOK_MILLISECONDS = 60_000;
/** A UDP socket that is still there then is taken for a server's; clients have one each for a question or two. */
const CONFIRM_MILLISECONDS = 10_000;

export function nodeRemarks({
  kernel,
  log,
  now,
}: {
  readonly kernel: Pick<Kernel, "listeningPorts" | "sysctlOverrides" | "persistObstacle" | "sysctls">;
  readonly log: Logger;
  readonly now: () => number;
}): NodeRemarks {
  let enforced: Enforcement | undefined;
  let looked: { readonly settings: string; readonly until: number } | undefined;
  let seenUdp: ReadonlySet<number> = new Set();
  let remarks: readonly Remark[] = [];

  async function look(held: Enforcement): Promise<void> {
    const listeners = held.plan.ephemeralPorts.range === undefined ? [] : await kernel.listeningPorts();
    const [reserved, overrides] = await Promise.all([
      kernel.sysctls([LOCAL_RESERVED_PORTS]),
      kernel.sysctlOverrides(held.rules.sysctls),
    ]);
    const lasting = listeners.filter(({ protocol, port }) => protocol === "TCP" || seenUdp.has(port));
    const taken = parseReservedPorts(reserved.get(LOCAL_RESERVED_PORTS) ?? "");
    remarks = [...listenerRemarks(held, lasting, taken), ...overrideRemarks(held, overrides)];
    const doubtful = listeners.some((one) => !lasting.includes(one) && inRange(one, held.plan.ephemeralPorts.range));
    seenUdp = new Set(listeners.flatMap(({ protocol, port }) => (protocol === "UDP" ? port : [])));
    looked = { settings: settingsOf(held), until: now() + (doubtful ? CONFIRM_MILLISECONDS : LOOK_MILLISECONDS) };
  }

  return {
    async refresh(held) {
      enforced = held;
      if (held === undefined) {
        looked = undefined;
        remarks = [];
        return;
      }
      if (looked?.settings === settingsOf(held) && now() < looked.until) return;
      try {
        await look(held);
      } catch (err) {
        // Remarks inform; what was seen before stays said until the next look.
        looked = { settings: settingsOf(held), until: now() + LOOK_MILLISECONDS };
        log.warn({ err }, "listeners and files of sysctl.d not read");
      }
    },
    of(policy) {
      const own = remarks.filter((remark) => remark.policy === policy);
      const obstacle = kernel.persistObstacle();
      const plan = enforced?.policies.find(({ name, mode }) => name === policy && mode === "Enforce")?.plan;
      if (obstacle === undefined || plan === undefined || !persistsSettings(plan)) return own;
      const message = `settings are not kept over a reboot, but are applied again when the agent starts: ${obstacle}`;
      return [...own, { policy, reason: "NotPersisted", message }];
    },
  };
}

/** All that a look depends on; rules and sets come and go without it. */
function settingsOf({ plan, rules, policies }: Enforcement): string {
  return JSON.stringify([plan.ephemeralPorts, rules.sysctls, policies.map(({ hash }) => hash)]);
}

function persistsSettings({ ephemeralPorts, sysctls }: Plan): boolean {
  const sets = ephemeralPorts !== undefined || Object.keys(sysctls).length > 0;
  return sets && (ephemeralPorts?.persist ?? true);
}

function inRange({ port }: ListeningPort, range: PortRange | undefined): boolean {
  return range !== undefined && range.from <= port && port <= range.to;
}
