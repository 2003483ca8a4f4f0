import type { PortHardeningAddressGroup } from "../api/address-group.ts";
import { ADDRESS_GROUP_KIND, API_GROUP, NODE_STATE_KIND, POD_RANGE_KIND, POLICY_KIND } from "../api/group.ts";
import { parseAddressGroup, parsePolicy } from "../api/parse.ts";
import type { PortHardeningPolicy } from "../api/policy.ts";
import { SchemaError } from "../api/schema-error.ts";
import type { NodeFacts } from "../controller/node-facts.ts";
import { faultyEntries, nameEntries } from "./entry-names.ts";
import type { Manifest } from "./manifest.ts";
import { parseNodeObject } from "./node-objects.ts";

/** Something to say about an object of a file. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line?: number;
  /** `PortHardeningPolicy workers`; empty where the file itself is meant. */
  readonly subject: string;
  /** Empty where the whole object is meant. */
  readonly path: string;
  readonly message: string;
}

export interface Located<T> {
  readonly manifest: Manifest;
  readonly object: T;
}

export interface Objects {
  readonly policies: readonly Located<PortHardeningPolicy>[];
  readonly groups: readonly Located<PortHardeningAddressGroup>[];
  /** Whom peers by node label mean. */
  readonly nodes: readonly NodeFacts[];
  readonly findings: readonly Finding[];
}

/**
 * The policies, address groups and Nodes among manifests; all that is wrong with any of them are findings. Other objects
 * of other API groups, and node states, which only the controller writes, are passed over.
 */
export function parseObjects(manifests: readonly Manifest[]): Objects {
  const policies: Located<PortHardeningPolicy>[] = [];
  const groups: Located<PortHardeningAddressGroup>[] = [];
  const nodes: NodeFacts[] = [];
  const findings: Finding[] = [];
  const seen = new Map<string, Manifest>();
  for (const manifest of manifests) {
    const { apiVersion, kind, metadata } = headOf(manifest.object);
    const subject = [kind, metadata?.name].filter((part) => typeof part === "string").join(" ");
    const error = (path: string, message: string) =>
      findings.push(findingAt(manifest, "error", subject, path, message));
    if (typeof apiVersion !== "string" || typeof kind !== "string") {
      error("", "is no Kubernetes object: give it apiVersion and kind");
      continue;
    }
    const before = seen.get(subject);
    if (before !== undefined && isOurs(apiVersion, kind)) {
      error("metadata.name", `stands in ${before.file}:${before.line} already: only one of the two could be kept`);
      continue;
    }
    seen.set(subject, manifest);
    try {
      if (kind === POLICY_KIND) policies.push({ manifest, object: parsePolicy(manifest.object) });
      else if (kind === ADDRESS_GROUP_KIND) groups.push({ manifest, object: parseAddressGroup(manifest.object) });
      else if (apiVersion === "v1" && kind === "Node") nodes.push(parseNodeObject(manifest.object));
      else if (isOurs(apiVersion, kind) && kind !== NODE_STATE_KIND && kind !== POD_RANGE_KIND) {
        error("kind", `there is no kind "${kind}" in ${API_GROUP}: write ${POLICY_KIND} or ${ADDRESS_GROUP_KIND}`);
      }
    } catch (problem) {
      if (!(problem instanceof SchemaError)) throw problem;
      findings.push(...schemaFindings(manifest, problem));
    }
  }
  return { policies, groups, nodes, findings };
}

export function findingAt(
  manifest: Manifest,
  severity: Finding["severity"],
  subject: string,
  path: string,
  message: string,
): Finding {
  return { severity, file: manifest.file, line: manifest.lineOf(path), subject, path, message };
}

/** `policy.yaml:12: error: PortHardeningPolicy workers: spec.mode: is required`. */
export function formatFinding({ file, line, severity, subject, path, message }: Finding): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return [place, severity, subject, path, message].filter((part) => part !== "").join(": ");
}

function schemaFindings(manifest: Manifest, { subject, problems }: SchemaError): Finding[] {
  return problems.map(({ path, message }) => {
    const faulty = faultyEntries(manifest.object, { path, message });
    const line = manifest.lineOf(faulty[0] === undefined ? path : `${path}[${faulty[0].index}]`);
    const names = faulty.map(({ name }) => `"${name}"`).join(", ");
    const shown = names === "" ? nameEntries(manifest.object, path) : `${path} (${names})`;
    return { severity: "error", file: manifest.file, line, subject, path: shown, message };
  });
}

function isOurs(apiVersion: string, kind: string): boolean {
  return apiVersion.split("/")[0] === API_GROUP || kind === POLICY_KIND || kind === ADDRESS_GROUP_KIND;
}

function headOf(object: unknown): { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown } | null } {
  return typeof object === "object" && object !== null ? object : {};
}
