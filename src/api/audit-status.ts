/** What audits found, in statuses. */
import * as z from "zod";
import { PRACTICES, SEVERITIES } from "./audit.ts";
import type { DeepReadonly } from "./deep-readonly.ts";
import { keyedList, labelName } from "./named.ts";

/** Findings, listeners and groups of connections that a NodeState names; all of them are in the reports and metrics. */
export const TOP_MAX = 20;
const CHECKS_MAX = 16;
const POLICIES_MAX = 64;

const count = z.int32().min(0);
const time = z.iso.datetime();

const severityCountsSchema = z
  .object({
    critical: count.describe("Critical ones."),
    high: count.describe("High ones."),
    medium: count.describe("Medium ones."),
    low: count.describe("Low ones."),
    info: count.describe("Those that only inform."),
  })
  .describe("Findings by severity.");

const checkSchema = z
  .object({
    name: labelName("Name of the check; docs/findings.md says what each looks at."),
    practice: z.enum(PRACTICES).describe("The practice that it is for."),
    status: z.enum(["Checked", "NotChecked"]).describe("NotChecked: it could not look, and has not passed."),
    reason: z.string().max(256).optional().describe("Why it was not made."),
    examined: count.optional().describe("How many things were looked at."),
    findings: count.optional().describe("How many findings it has."),
    at: time.describe("When it last looked."),
  })
  .describe("The latest result of one check.");

const findingSchema = z
  .object({
    id: z.string().max(64).describe("What it is; docs/findings.md explains each."),
    check: labelName("Check that found it.").optional(),
    severity: z.enum(SEVERITIES).describe("How soon somebody should look."),
    subject: z.string().max(128).describe("What it is about."),
    port: z.int32().min(1).max(65535).optional().describe("The protected port that it is about."),
    evidence: z.string().max(200).describe("What was seen."),
    remedy: z.string().max(200).describe("What to do next."),
    since: time.describe("When it was first seen."),
  })
  .describe("One thing that is not as it should be.");

const policyAuditSchema = z
  .object({
    name: labelName("Name of the PortHardeningPolicy."),
    notMet: count.describe("Findings, and checks that could not be made, of practices that the policy requires."),
    pending: count.describe("Checks that the policy asks for and that were not tried yet."),
    findings: severityCountsSchema,
  })
  .describe("The findings that are one policy's: of practices that it looks at, on its ports or on the whole host.");

export const nodeAuditSchema = z
  .object({
    auditedAt: time
      .optional()
      .describe("When all checks were last made, exposure aside: a peer takes its own time. See checks."),
    dueAt: time.optional().describe("When all are made next."),
    request: z.string().max(64).optional().describe("The spec.auditRequest that the latest audit answers."),
    findings: severityCountsSchema,
    top: z.array(findingSchema).max(TOP_MAX).describe("The most urgent ones."),
    checks: keyedList(checkSchema, ["name"], CHECKS_MAX).describe("The checks."),
    policies: keyedList(policyAuditSchema, ["name"], POLICIES_MAX).describe("By policy."),
  })
  .describe("What audits found.");

const listenerSchema = z
  .object({
    protocol: z.enum(["TCP", "UDP", "SCTP"]).describe("Protocol."),
    address: z.string().max(64).describe("Address; 0.0.0.0 and :: are every address."),
    port: z.int32().min(1).max(65535).describe("Port."),
    process: z.string().max(64).optional().describe("Name of the process."),
    user: z.int().min(0).optional().describe("Numeric user that it runs as."),
    cgroup: z.string().max(128).optional().describe("Control group of the process; its end, where it is long."),
    containerId: z.string().max(64).optional().describe("Container that it runs in."),
    podUid: z.string().max(64).optional().describe("uid of the pod that it runs in."),
    reach: z
      .enum(["Everybody", "Some", "Nobody", "Unknown"])
      .describe("Who outside of the node gets through to it, by the policies in force. Unknown: none judges its port."),
    speaks: z
      .string()
      .max(128)
      .optional()
      .describe(
        "What a probe found out that it speaks, with TLS its version, cipher and certificate; absent: not probed.",
      ),
    expected: z.boolean().optional().describe("Whether a policy says that it is meant to be there; absent: none says."),
    since: time.optional().describe("When an agent first saw it there."),
  })
  .describe("A process that listens on a protected port.");

export const listenersSchema = z
  .object({
    count: count.describe("Listeners on protected ports."),
    unexpected: count.optional().describe("Those that no policy expects; absent: none says what is expected."),
    top: z.array(listenerSchema).max(TOP_MAX).describe("Unexpected ones first, then by port."),
  })
  .describe("Who listens on protected ports.");

export const connectionsSchema = z
  .object({
    established: count.describe("Established TCP connections."),
    timeWait: count.describe("Closed ones that still hold a local port."),
    localPortsUsedPercent: z
      .int32()
      .min(0)
      .max(100)
      .optional()
      .describe("Most local ports in use towards one destination, of the range that the kernel hands out."),
    conntrackUsedPercent: z.int32().min(0).max(100).optional().describe("How full the connection tracking table is."),
    top: z
      .array(
        z.object({
          direction: z.enum(["Inbound", "Outbound"]).describe("Inbound: to a port that somebody listens on here."),
          peer: z.string().max(64).describe("Address of the other end."),
          port: z.int32().min(1).max(65535).describe("Port of the service: ours inbound, theirs outbound."),
          connections: count.describe("How many."),
        }),
      )
      .max(TOP_MAX)
      .describe("Established ones by other end and port, most first."),
  })
  .describe("TCP connections of the node, at the time of the latest audit.");

export const policyAuditSummarySchema = z
  .object({
    summary: z.string().max(128).describe('In a few words: "passed", or "3 findings, 1 high".'),
    audited: count.describe("Nodes on which every check that the policy asks for was tried."),
    notMet: count.describe("Nodes on which something that the policy requires is not so, or could not be checked."),
    findings: severityCountsSchema,
    auditedAt: time.optional().describe("When the node that was audited longest ago was audited."),
  })
  .describe("What audits found, summed over the nodes.");

export type NodeAuditStatus = DeepReadonly<z.output<typeof nodeAuditSchema>>;
export type ListenersStatus = DeepReadonly<z.output<typeof listenersSchema>>;
export type ConnectionsStatus = DeepReadonly<z.output<typeof connectionsSchema>>;
export type PolicyAuditSummary = DeepReadonly<z.output<typeof policyAuditSummarySchema>>;
