import { microTime } from "./micro-time.ts";
import { resources } from "./resources.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";
import type { KubeClient, KubeObject } from "./types.ts";

export interface LeaseRenewal {
  readonly namespace: string;
  readonly name: string;
  readonly holder: string;
  readonly durationSeconds: number;
}

interface LeaseObject extends KubeObject {
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseDurationSeconds: number;
    readonly renewTime: string;
  };
}

/** Says "alive at `now`". Creates the lease where there is none. It elects nobody: the last writer holds it. */
export async function renewLease(
  client: KubeClient,
  renewal: LeaseRenewal,
  now: Date,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace, name, holder, durationSeconds } = renewal;
  await retryOnConflict(async () => {
    const current = await client.get(resources.leases, { namespace, name }, signal);
    const lease: LeaseObject = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: current?.metadata ?? { namespace, name },
      spec: { holderIdentity: holder, leaseDurationSeconds: durationSeconds, renewTime: microTime(now) },
    };
    return current === undefined
      ? client.create(resources.leases, lease, signal)
      : client.replace(resources.leases, lease, signal);
  }, signal);
}
