import * as z from "zod";
import { defaulted } from "./defaulted.ts";
import { PORT_RANGE_PATTERN, portBounds, portList } from "./ports.ts";
import { withRules } from "./rule.ts";

/**
 * Fewest ports that a range may leave. A closed connection holds its port for 60 s of TIME-WAIT (TCP_TIMEWAIT_LEN), so
 * N ports sustain N/60 new connections a second to one destination: 1024 give 17.
 */
export const MIN_EPHEMERAL_PORTS = 1024;

export const rangeSchema = withRules(
  z.string().max(11).regex(new RegExp(PORT_RANGE_PATTERN), 'must be two ports, such as "49152-65535"'),
  [
    {
      cel: "[self.split('-').map(s, int(s))].all(r, r[0] >= 1024 && r[1] - r[0] >= 1023)",
      message: "must start at 1024 or above and hold at least 1024 ports: fewer starve outbound connections",
      holds: (range) => {
        const { from, to } = portBounds(range);
        return from >= 1024 && to - from + 1 >= MIN_EPHEMERAL_PORTS;
      },
    },
  ],
);

/** What becomes of pods that have a network of their own: they have local ports of their own too. */
export const PODS = ["Ignore", "Inject"] as const;

export const ephemeralPortsSchema = withRules(
  z.strictObject({
    range: rangeSchema
      .optional()
      .describe(
        "Local ports of outbound connections (net.ipv4.ip_local_port_range; IPv6 too), lowest and highest. Absent: left as it is. " +
          "Does not bind the ports of SNAT.",
      ),
    reserved: portList(0, 64)
      .optional()
      .describe(
        "Ports never picked as a local port (net.ipv4.ip_local_reserved_ports). Added to what is reserved on the node already.",
      ),
    reserveNodePorts: z
      .boolean()
      .optional()
      .describe(
        "Whether the cluster's NodePorts (30000-32767, or what the controller's --service-node-port-range says) are reserved " +
          "too, so that no outbound connection takes the port of a Service. Absent: false.",
      ),
    persist: defaulted(z.boolean(), true).describe(
      "Whether the values are kept over a reboot, in a file below sysctl.d.",
    ),
    pods: defaulted(z.enum(PODS), "Ignore").describe(
      "Ignore: pods with a network of their own keep the kernel's range. Inject: new ones get range too, as a safe sysctl of the " +
        "pod, but for those that set it themselves; pods that run keep what they have until they are recreated. Takes a policy " +
        "without nodeSelector, as the node of a new pod is not known yet, and Kubernetes 1.36.",
    ),
  }),
  [
    {
      cel: "self.pods != 'Inject' || has(self.range)",
      message: "Inject needs range: it is what pods get",
      field: "pods",
      holds: ({ pods, range }) => pods !== "Inject" || range !== undefined,
    },
    {
      cel:
        "!has(self.range) || !has(self.reserved) || [self.range.split('-').map(s, int(s))].all(r, r[1] - r[0] + 1 - " +
        "self.reserved.map(p, (type(p) == int ? [int(p), int(p)] : string(p).split('-').map(s, int(s)))).map(p, " +
        "[0, [p[size(p)-1], r[1]].min() - [p[0], r[0]].max() + 1].max()).sum() >= 1024)",
      message: "reserved must leave at least 1024 ports of range (a port reserved twice counts twice)",
      field: "reserved",
      holds: ({ range, reserved = [] }) => {
        if (range === undefined) return true;
        const { from, to } = portBounds(range);
        const taken = reserved
          .map(portBounds)
          .map((port) => Math.max(0, Math.min(port.to, to) - Math.max(port.from, from) + 1));
        return to - from + 1 - taken.reduce((sum, size) => sum + size, 0) >= MIN_EPHEMERAL_PORTS;
      },
    },
  ],
);
