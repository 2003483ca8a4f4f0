import { join, resolve } from "node:path";
import { execa, type Options } from "execa";
import { parseAllDocuments } from "yaml";

export const project = resolve(import.meta.dirname, "../../..");
/** `sh scripts/setup.sh node` makes it. */
export const helmProgram = join(project, ".cache/bin/helm");
export const chart = join(project, "charts/port-hardening");

/** Values as a person would write them; those of the chart hold for what is left out. */
export type Values = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

async function helm(args: readonly string[], options: Options = {}) {
  const { stdout, stderr, exitCode } = await execa(helmProgram, args, { reject: false, timeout: 120_000, ...options });
  return { stdout: String(stdout), stderr: String(stderr), exitCode: exitCode ?? -1 };
}

const withValues = (values: Values) => ["--values", "-", { input: JSON.stringify(values) }] as const;

/** What `helm lint --strict` says; "" where it finds nothing. */
export async function lint(values: Values): Promise<string> {
  const [flag, file, input] = withValues(values);
  const { stdout, stderr, exitCode } = await helm(["lint", "--strict", "--quiet", chart, flag, file], input);
  return exitCode === 0 ? "" : stdout + stderr;
}

/** What the API server of these tests serves, and those of older versions do not; Helm knows nothing of it by itself. */
const SERVED = ["admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"];

/** What Helm would send, hooks too; throws with what it says. */
export async function render(values: Values, release = "port-hardening", served = SERVED): Promise<string> {
  const [flag, file, input] = withValues(values);
  const apis = served.flatMap((kind) => ["--api-versions", kind]);
  const { stdout, stderr, exitCode } = await helm(
    ["template", release, chart, "--namespace", "port-hardening", flag, file, ...apis],
    input,
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

export function manifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}
