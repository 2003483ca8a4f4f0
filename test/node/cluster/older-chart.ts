import { cp, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { CHART } from "./cluster-to-install-into.ts";

const crd = resolve(import.meta.dirname, "../../../crds/porthardening.io_porthardeningpolicies.yaml");

interface Definition {
  readonly metadata: { annotations?: Record<string, string> };
  readonly spec: {
    readonly versions: readonly {
      readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: Properties } } };
    }[];
  };
}
interface Properties {
  readonly properties: Record<string, unknown>;
  "x-kubernetes-validations"?: readonly { readonly rule: string }[];
}

/** The chart as an older release might have been: its policies do not know this field of `spec` yet. */
export async function writeOlderChart(folder: string, field: string): Promise<void> {
  await cp(CHART, folder, { recursive: true });
  const definition = parse(await readFile(crd, "utf8")) as Definition;
  definition.metadata.annotations = { ...definition.metadata.annotations, "helm.sh/resource-policy": "keep" };
  for (const { schema } of definition.spec.versions) {
    const { spec } = schema.openAPIV3Schema.properties;
    const { properties, "x-kubernetes-validations": rules = [] } = spec;
    if (!(field in properties)) throw new Error(`the CRD has no spec.${field} that could be missing from an older one`);
    delete properties[field];
    spec["x-kubernetes-validations"] = rules.filter(({ rule }) => !rule.includes(`self.${field}`));
  }
  await writeFile(join(folder, "templates/crd-policies.yaml"), stringify(definition).replaceAll("{{", '{{ "{{" }}'));
}
