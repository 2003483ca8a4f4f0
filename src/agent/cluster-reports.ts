import { NotServedError } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient } from "../kube/types.ts";
import { type ClusterReport, OWN_LABEL } from "./audit-report.ts";

/** There is a report of this name that somebody else wrote: it is left alone. */
export class ForeignReportError extends Error {
  override readonly name = "ForeignReportError";
}

/** One node's report in the API. All throw KubeError; NotServedError where OpenReports is not installed. */
export interface ClusterReports {
  /** Throws ForeignReportError. */
  write(report: ClusterReport, signal: AbortSignal): Promise<void>;
  /** Resolves too where there is none, or none of ours. */
  remove(signal: AbortSignal): Promise<void>;
}

export function clusterReports(client: KubeClient, name: string, fieldManager: string): ClusterReports {
  const resource = resources.clusterReports;
  /** Whose it is needs no asking once we have written it. */
  let known = false;

  async function current(signal: AbortSignal) {
    const object = await client.get(resource, { name }, signal);
    const ours = Object.entries(OWN_LABEL).every(([key, value]) => object?.metadata.labels?.[key] === value);
    return { object, ours };
  }

  return {
    async write(report, signal) {
      if (!known) {
        const { object, ours } = await current(signal);
        if (object !== undefined && !ours) {
          throw new ForeignReportError(`ClusterReport ${name} is not ours: it lacks label ${labelText}`);
        }
      }
      await client.apply(resource, report, { fieldManager }, signal);
      known = true;
    },
    async remove(signal) {
      known = false;
      try {
        const { object, ours } = await current(signal);
        if (object === undefined || !ours) return;
        const { uid } = object.metadata;
        await client.delete(resource, uid === undefined ? { name } : { name, uid }, signal);
      } catch (error) {
        // All objects of a kind go with its definition.
        if (!(error instanceof NotServedError)) throw error;
      }
    },
  };
}

const labelText = Object.entries(OWN_LABEL)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");
