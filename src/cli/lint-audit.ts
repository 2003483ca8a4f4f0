import type { PortHardeningPolicy } from "../api/policy.ts";
import type { NodeAudit } from "../plan/node-audit.ts";
import { parsePortItem, subtractPorts, unionPorts } from "../plan/ports.ts";
import type { PortRange } from "../plan/types.ts";
import type { Warning } from "./lint-direction.ts";

/** What of a policy's monitoring and audit is without effect on nodes where all policies given are in force. */
export function auditWarnings({ spec }: PortHardeningPolicy, given: NodeAudit | undefined): Warning[] {
  if (given === undefined) return [];
  return [...expectedWarnings(spec, given), ...skipWarnings(spec, given), ...modeWarnings(spec)];
}

function expectedWarnings({ monitoring }: PortHardeningPolicy["spec"], { protectedPorts }: NodeAudit): Warning[] {
  const expected = (monitoring?.listeners?.expected ?? []).map(({ port, process }) => ({
    port: `${port}`,
    process,
    range: parsePortItem(port),
  }));
  return expected.flatMap(({ port, process, range }, index) => {
    const path = `spec.monitoring.listeners.expected[${index}]`;
    if (outside(range, protectedPorts)) {
      const message = `never matches: only listeners on ${textOf(protectedPorts)} are looked at (firewall.inbound.ports)`;
      return [{ path: `${path}.port`, message }];
    }
    // Of two that say the same, the second one.
    const covering = expected.findIndex(
      (other, at) =>
        at !== index &&
        other.range.from <= range.from &&
        range.to <= other.range.to &&
        (other.process === undefined || other.process === process) &&
        (at < index || other.process !== process || textOf([other.range]) !== textOf([range])),
    );
    if (covering === -1) return [];
    return [{ path, message: `has no effect: expected[${covering}] expects it on ${port} already` }];
  });
}

function skipWarnings({ audit }: PortHardeningPolicy["spec"], { portsOf }: NodeAudit): Warning[] {
  const probed = unionPorts(portsOf.protocols, portsOf.exposure);
  return (audit?.skipProbes ?? []).flatMap((port, index) => {
    if (!outside(parsePortItem(port), probed)) return [];
    const why =
      probed.length === 0
        ? "plaintextProtocols and exposure are ignored, so nothing is connected to"
        : `only ${textOf(probed)} may be connected to (firewall.inbound.ports)`;
    return [{ path: `spec.audit.skipProbes[${index}]`, message: `has no effect: ${why}` }];
  });
}

function modeWarnings({ mode, audit }: PortHardeningPolicy["spec"]): Warning[] {
  if (mode !== "Observe" || audit?.securityUpdates?.automatic !== "Ensure") return [];
  const message = "switches nothing on in mode Observe: it is as Required";
  return [{ path: "spec.audit.securityUpdates.automatic", message }];
}

function outside(range: PortRange, ports: readonly PortRange[]): boolean {
  const [left] = subtractPorts([range], ports);
  return left?.from === range.from && left.to === range.to;
}

function textOf(ports: readonly PortRange[]): string {
  return ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}
