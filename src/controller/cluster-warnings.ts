import type { Plan, PortRange } from "../plan/types.ts";
import type { ControllerStores } from "./stores.ts";

const NAMED = 3;

/**
 * Where a plan goes by the NodePort range, Services outside of it are evidence that the install names a wrong one:
 * Kubernetes does not publish kube-apiserver's flag. A sentence each.
 */
export function clusterWarnings(
  { ephemeralPorts }: Plan,
  { services }: Pick<ControllerStores, "services">,
  { from, to }: PortRange,
): string[] {
  if (ephemeralPorts === undefined) return [];
  const strays = services
    .list()
    .flatMap(({ strayNodePorts }) => strayNodePorts)
    .toSorted();
  if (strays.length === 0) return [];
  const more = strays.length > NAMED ? ` and ${strays.length - NAMED} more` : "";
  const message =
    `NodePorts are taken to be ${from}-${to}, but these are in use: ${strays.slice(0, NAMED).join(", ")}${more}; start the ` +
    "controller with the --service-node-port-range of kube-apiserver.";
  return [message];
}
