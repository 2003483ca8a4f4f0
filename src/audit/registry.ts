import type { Check } from "./check.ts";
import { checkAccessControl } from "./confinement/check-access-control.ts";
import { checkConfinement } from "./confinement/check-confinement.ts";
import { checkConntrack } from "./connections/check-conntrack.ts";
import { checkLocalPorts } from "./connections/check-local-ports.ts";
import { checkListeners } from "./listeners/check-listeners.ts";

/** All checks of an audit, in the order of the practices that they stand for. */
export const CHECKS: readonly Check[] = [
  { name: "listeners", title: "only expected processes listen", run: checkListeners },
  { name: "local-ports", title: "local ports are left for connections", run: checkLocalPorts },
  { name: "conntrack", title: "connection tracking has room", run: checkConntrack },
  { name: "access-control", title: "SELinux or AppArmor is enforced", run: checkAccessControl },
  { name: "confinement", title: "processes that listen are confined", run: checkConfinement },
];
