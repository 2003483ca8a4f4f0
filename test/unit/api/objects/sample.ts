/** An object and what must become of it: in zod, at the API server and in kubectl alike. */
export interface Sample {
  readonly name: string;
  readonly object: unknown;
  readonly expected: "ok" | Refusal;
}

export interface Refusal {
  /** Path of the field at fault. */
  readonly field: string;
  /** Part of the message. */
  readonly says: string;
  /** Where the API server blames another field. */
  readonly serverField?: string;
  /** `kubectl apply` (client-side) removes nulls before it sends (apply.go, pruneNullsFromMap): there it passes. */
  readonly prunedByKubectl?: boolean;
  /** Where the API server words it differently: rules of its own rather than CEL. */
  readonly serverSays?: string;
}

export function good(name: string, object: unknown): Sample {
  return { name, object, expected: "ok" };
}

export function bad(name: string, object: unknown, field: string, says: string, serverSays = says): Sample {
  return { name, object, expected: { field, says, serverSays } };
}

/** null where a field may be absent: CEL sees only that some member of the parent is null. */
export function badNull(name: string, object: unknown, field: string): Sample {
  const [, serverField, member] = /^(.*)\.([^.]*)$/.exec(field) ?? [];
  if (serverField === undefined) throw new Error(`${field} has no parent`);
  const serverSays = `${member}`;
  return { name, object, expected: { field, says: ", not null", serverField, serverSays, prunedByKubectl: true } };
}

const apiVersion = "porthardening.io/v1alpha1";

/** An enforcing policy with these further fields. */
export function policy(spec: object, name = "sample"): unknown {
  return { apiVersion, kind: "PortHardeningPolicy", metadata: { name }, spec: { mode: "Enforce", ...spec } };
}

export function inbound(fields: unknown): unknown {
  return policy({ firewall: { inbound: fields } });
}

export function outbound(fields: unknown): unknown {
  return policy({ firewall: { outbound: fields } });
}

/** A policy with one allow entry. */
export function allow(entry: object): unknown {
  return inbound({ allow: [{ name: "entry", ...entry }] });
}

/** A policy with one peer in one allow entry. */
export function from(peer: unknown): unknown {
  return allow({ from: [peer] });
}

export function addressGroup(addresses: unknown): unknown {
  return { apiVersion, kind: "PortHardeningAddressGroup", metadata: { name: "sample" }, spec: { addresses } };
}

export function nodeState(policies: unknown, more: object = {}): unknown {
  const spec = { policies, ...more };
  return { apiVersion, kind: "PortHardeningNodeState", metadata: { name: "node-1.example" }, spec };
}

export function podRange(spec: unknown, name = "cluster"): unknown {
  return { apiVersion, kind: "PortHardeningPodRange", metadata: { name }, spec };
}

/** `count` items made from their index. */
export function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
