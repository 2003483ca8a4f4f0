import type { Check } from "./check.ts";
import { checkAccessControl } from "./confinement/check-access-control.ts";
import { checkConfinement } from "./confinement/check-confinement.ts";
import { checkConntrack } from "./connections/check-conntrack.ts";
import { checkLocalPorts } from "./connections/check-local-ports.ts";
import { checkListeners } from "./listeners/check-listeners.ts";
import { checkProtocols } from "./protocols/check-protocols.ts";
import { checkAutomaticUpdates } from "./updates/automatic-updates.ts";
import { checkPendingReboot } from "./updates/pending-reboot.ts";
import { checkPendingUpdates } from "./updates/pending-updates.ts";

/** All checks of an audit, in the order of the practices that they stand for. */
export const CHECKS: readonly Check[] = [
  {
    name: "listeners",
    practice: "listeners",
    title: "only expected processes listen",
    when: "Listeners",
    run: checkListeners,
  },
  {
    name: "local-ports",
    practice: "capacity",
    title: "local ports are left for connections",
    when: "Often",
    run: checkLocalPorts,
  },
  {
    name: "conntrack",
    practice: "capacity",
    title: "connection tracking has room",
    when: "Often",
    run: checkConntrack,
  },
  {
    name: "access-control",
    practice: "accessControl",
    title: "SELinux or AppArmor is enforced",
    run: checkAccessControl,
  },
  {
    name: "confinement",
    practice: "accessControl",
    title: "processes that listen are confined",
    when: "Listeners",
    run: checkConfinement,
  },
  {
    name: "pending-updates",
    practice: "pendingUpdates",
    title: "no security update is pending",
    slow: true,
    run: ({ host, now }) => checkPendingUpdates(host, now),
  },
  {
    name: "pending-reboot",
    practice: "pendingUpdates",
    title: "installed updates are in effect",
    slow: true,
    run: ({ host }) => checkPendingReboot(host),
  },
  {
    name: "automatic-updates",
    practice: "automaticUpdates",
    title: "security updates are installed automatically",
    slow: true,
    run: ({ host, now }) => checkAutomaticUpdates(host, now),
  },
  {
    name: "protocols",
    practice: "protocols",
    title: "listeners speak encrypted protocols",
    when: "Listeners",
    slow: true,
    run: checkProtocols,
  },
];
