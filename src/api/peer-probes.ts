/**
 * Probes of one node by another, relayed by the controller (DESIGN 7.4): the node asks in its status, the controller puts
 * the question into a peer's spec, the peer answers in its status, the controller hands that back in the node's spec.
 */
import * as z from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { keyedList } from "./named.ts";

/** Ports that one request names. Single numbers, not ranges, so that the API server bounds what a peer can be made to do. */
export const PROBE_PORTS_MAX = 80;
/** Probes of each purpose that a peer serves at a time. */
export const PROBES_PER_PEER_MAX = 4;
/** What a node asks for behind a change: of two peers, so that one that is broken does not roll it back. */
export const REACH_REQUESTS_MAX = 2;
/** Audit: exposure. Change: whether a node that changed can still be reached; ahead of audits, and bound to the moment. */
export const PROBE_PURPOSES = ["Audit", "Change"] as const;
const PROBES_MAX = PROBES_PER_PEER_MAX * PROBE_PURPOSES.length;
/** One in each family. */
const PATHS_MAX = 2;

const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[0-9a-z-]+$/, "must be made of a-z, 0-9 and '-'");
const address = z.string().max(64);
const nodeName = z.string().max(253);
const ports = z.array(z.int32().min(1).max(65535)).max(PROBE_PORTS_MAX);
const time = z.iso.datetime();

export const probeRequestSchema = z
  .object({
    id: id.describe("Unlike that of any other request."),
    at: time.describe("When the node asked."),
    ports: ports.describe("TCP ports that are to be connected to."),
  })
  .describe("What the node wants to have measured from a peer; gone when it was, or when the node stopped waiting.");

const probeSchema = z
  .object({
    id: id.describe("Of the request."),
    node: nodeName.describe("The node that asked."),
    purpose: z
      .enum(PROBE_PURPOSES)
      .optional()
      .describe("Change: the node waits to confirm a change, so it is measured ahead of audits. Absent: Audit."),
    at: time.describe("When the controller chose this peer."),
    ports: ports.describe("TCP ports."),
    paths: z
      .array(
        z.object({
          from: address.describe("Address of this node to connect from."),
          to: address.describe("Address to connect to, from the Node object of the node that asked."),
        }),
      )
      .max(PATHS_MAX)
      .describe("One in each address family that both nodes have."),
  })
  .describe("A measurement that this node makes for another: it connects, sends nothing, and closes.");

const probedPathSchema = z
  .object({
    from: address.describe("Where the connections came from."),
    to: address.describe("Where they went."),
    open: ports.describe("Ports that took the connection."),
    refused: ports.describe("Ports that answered with a reset."),
    silent: ports.describe("Ports that did not answer in time, or are not to be reached."),
    problem: z.string().max(256).optional().describe("Why some or all ports were not tried; they are in no list."),
  })
  .describe("What became of connections from one address to another.");

const paths = z.array(probedPathSchema).max(PATHS_MAX);

const probeResultSchema = z
  .object({
    id: id.describe("Of the probe in spec.probes."),
    paths: paths.describe("By address family."),
  })
  .describe("What this node measured for another.");

const probeAnswerSchema = z
  .object({
    id: id.describe("Of the request in status.probeRequest or status.reachRequests."),
    peer: nodeName.optional().describe("The node that measured."),
    paths: paths.optional().describe("What it measured."),
    problem: z.string().max(256).optional().describe("Why nobody measures, at the moment."),
  })
  .describe("What a peer measured.");

export const reachRequestsSchema = keyedList(probeRequestSchema, ["id"], REACH_REQUESTS_MAX).describe(
  "Connections that the node wants from peers while a change waits to be confirmed, each from another one. Meanwhile it " +
    "is asked for none itself.",
);

export const probesSchema = keyedList(probeSchema, ["id"], PROBES_MAX).describe(
  "Measurements that this node makes for others. No part of any policy's revision.",
);
export const probeAnswersSchema = keyedList(probeAnswerSchema, ["id"], PROBES_MAX).describe(
  "What peers measured of this node, until it has read it. No part of any policy's revision.",
);
export const probeResultsSchema = keyedList(probeResultSchema, ["id"], PROBES_MAX).describe(
  "What this node measured for others, until the controller has passed it on.",
);

export type ProbeRequest = DeepReadonly<z.output<typeof probeRequestSchema>>;
export type ProbePurpose = (typeof PROBE_PURPOSES)[number];
export type PeerProbe = DeepReadonly<z.output<typeof probeSchema>>;
export type ProbedPath = DeepReadonly<z.output<typeof probedPathSchema>>;
export type ProbeResult = DeepReadonly<z.output<typeof probeResultSchema>>;
export type ProbeAnswer = DeepReadonly<z.output<typeof probeAnswerSchema>>;
