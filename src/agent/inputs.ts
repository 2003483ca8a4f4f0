import { isDeepStrictEqual } from "node:util";
import { type NodeStateStatus, nodeStateStatusSchema } from "../api/node-state.ts";
import { parseAddressGroup } from "../api/parse.ts";
import { type PeerProbe, type ProbeAnswer, probeAnswersSchema, probesSchema } from "../api/peer-probes.ts";
import { ForbiddenError } from "../kube/errors.ts";
import { reflector } from "../kube/reflector.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import type { GroupAddresses } from "../plan/types.ts";
import type { Logger } from "../telemetry/logger.ts";

/** This node's own NodeState as far as the agent trusts it: each element of `policies` is still to be judged. */
export interface NodeStateRecord {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** undefined: spec does not even hold a list. */
  readonly policies: readonly unknown[] | undefined;
  /** Policies of which it does not say yet what shall become of them: what is enforced of them stays. */
  readonly keep?: readonly string[];
  /** Revisions whose turn has not come: each element is still to be judged. */
  readonly previews?: readonly unknown[];
  /** What others ask to have measured, and what they measured; what cannot be read is not there. */
  readonly probes: readonly PeerProbe[];
  readonly probeAnswers: readonly ProbeAnswer[];
  readonly status: NodeStateStatus | undefined;
  /** The node is audited when this changes. */
  readonly auditRequest?: string;
  /** Somebody had the controller leave the node out. */
  readonly skipped?: true;
  /** A host without a cluster: there are no nodes whose addresses could be waited for. */
  readonly alone?: true;
}

/** What the API server says. Nothing may be concluded from it before `synced`. */
export interface AgentInputs {
  /** Both lists were complete once. */
  readonly synced: boolean;
  /** Why not, for people; and what the API server does not let the agent follow, `synced` or not. */
  readonly missing: readonly string[];
  /** What comes to this node no more, as the API server refuses to tell it, with its words. */
  readonly refusals: readonly string[];
  /** Grows with each change of what may concern rules: the policies in spec, and address groups. */
  readonly revision: number;
  nodeState(): NodeStateRecord | undefined;
  groups(): readonly GroupAddresses[];
}

export interface AgentInputsOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly log: Logger;
  /** After each change of a spec, and when `synced` becomes true. */
  readonly onChange: () => void;
}

/** Watches the node's own NodeState and all address groups until the signal given to `run` aborts. */
export function agentInputs({ client, nodeName, log, onChange }: AgentInputsOptions): AgentInputs & {
  run(signal: AbortSignal): Promise<void>;
} {
  let revision = 0;
  const changed = (): void => {
    revision += 1;
    onChange();
  };
  const failed = (what: string) => (err: unknown, retryInMilliseconds: number) => {
    log.warn({ err, what, retryInMilliseconds: Math.round(retryInMilliseconds) }, "watch failed");
    if (err instanceof ForbiddenError) onChange();
  };

  const states = reflector<NodeStateRecord>({
    client,
    resource: resources.nodeStates,
    select: { fieldSelector: `metadata.name=${nodeName}` },
    parse: readNodeState,
    onChange: ({ before, after }) => {
      if (before?.uid === after?.uid && before?.generation === after?.generation) return;
      // Rules for 100,000 addresses are not to be made anew because another node wants something measured.
      const same = isDeepStrictEqual(before?.policies, after?.policies) && isDeepStrictEqual(before?.keep, after?.keep);
      if (before?.uid === after?.uid && same) onChange();
      else changed();
    },
    onSync: onChange,
    onError: failed("node state"),
  });
  const readGroup = groupReader(log);
  const groups = reflector<GroupAddresses>({
    client,
    resource: resources.addressGroups,
    parse: readGroup.read,
    onChange: ({ key, after }) => {
      if (after === undefined) readGroup.forget(key.name);
      changed();
    },
    onSync: onChange,
    onError: failed("address groups"),
  });

  const refusals = () => [
    ...(states.refusal === undefined ? [] : [`changes of what is assigned: ${states.refusal}`]),
    ...(groups.refusal === undefined ? [] : [`changes of address groups: ${groups.refusal}`]),
  ];

  return {
    get synced() {
      return states.store.synced && groups.store.synced;
    },
    get missing() {
      return [
        ...(states.store.synced ? [] : ["the node's state was not read yet"]),
        ...(groups.store.synced ? [] : ["the address groups were not read yet"]),
        ...refusals(),
      ];
    },
    get refusals() {
      return refusals();
    },
    get revision() {
      return revision;
    },
    nodeState: () => states.store.get({ name: nodeName }),
    groups: () => groups.store.list(),
    async run(signal) {
      await Promise.all([states.run(signal), groups.run(signal)]);
    },
  };
}

function readNodeState(object: KubeObject & { readonly spec?: unknown; readonly status?: unknown }): NodeStateRecord {
  const { uid, generation } = object.metadata;
  const spec: Readonly<
    Partial<Record<"policies" | "keep" | "previews" | "auditRequest" | "skipped" | "probes" | "probeAnswers", unknown>>
  > = typeof object.spec === "object" && object.spec !== null ? object.spec : {};
  const { policies, keep, previews, auditRequest, skipped, probes, probeAnswers } = spec;
  return {
    uid,
    generation,
    policies: Array.isArray(policies) ? policies : undefined,
    probes: probesSchema.safeParse(probes).data ?? [],
    probeAnswers: probeAnswersSchema.safeParse(probeAnswers).data ?? [],
    status: nodeStateStatusSchema.safeParse(object.status).data,
    ...(Array.isArray(keep) && { keep: keep.filter((name) => typeof name === "string") }),
    ...(Array.isArray(previews) && { previews }),
    ...(skipped === true && { skipped }),
    ...(typeof auditRequest === "string" && auditRequest !== "" && { auditRequest }),
  };
}

/** A group edited into something malformed keeps its last good content, so that it hurts nobody's traffic. */
function groupReader(log: Logger) {
  const good = new Map<string, GroupAddresses>();
  return {
    read(object: KubeObject): GroupAddresses | undefined {
      const { name } = object.metadata;
      try {
        const { metadata, spec } = parseAddressGroup(object);
        const group = { name, labels: metadata.labels ?? {}, addresses: spec.addresses };
        good.set(name, group);
        return group;
      } catch (err) {
        log.warn({ err, group: name, keptLastGood: good.has(name) }, "address group is malformed");
        return good.get(name);
      }
    },
    forget: (name: string) => void good.delete(name),
  };
}
