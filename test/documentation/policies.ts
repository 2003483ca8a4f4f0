import { parseAllDocuments } from "yaml";
import { API_VERSION, POLICY_KIND } from "../../src/api/group.ts";
import { blocksOf } from "./blocks.ts";
import { documents } from "./documents.ts";

/** An object of ours in a document. */
export interface DocumentedObject {
  readonly where: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** YAML that is no object of the API server: who reads it instead. */
export const OTHER_YAML: Readonly<Record<string, string>> = {
  scrape_configs: "test/monitoring/scraped.test.ts gives it to Prometheus",
};

/** The objects in YAML blocks. A block that shows a part of a policy's spec is given what else a policy needs. */
export function documentedObjects(): readonly DocumentedObject[] {
  return documents()
    .flatMap(blocksOf)
    .filter(({ language }) => language === "yaml")
    .flatMap(({ file, line, text }) =>
      parseAllDocuments(text, { version: "1.1" }).map((document) => ({
        where: `${file}:${line}`,
        object: document.toJS() as Readonly<Record<string, unknown>>,
      })),
    )
    .filter(({ object }) => !Object.keys(object).some((key) => key in OTHER_YAML))
    .map(({ where, object }) => ({ where, object: "kind" in object ? object : completed(object) }));
}

function completed({ spec, ...rest }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    apiVersion: API_VERSION,
    kind: POLICY_KIND,
    metadata: { name: "documented" },
    spec: { mode: "Enforce", ...(spec as object) },
    ...rest,
  };
}
