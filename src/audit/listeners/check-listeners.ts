import type { Severity } from "../../api/audit.ts";
import type { AuditSubject } from "../check.ts";
import { observeLocalPorts } from "../connections/local-ports.ts";
import type { CheckResult, Finding } from "../finding.ts";
import { isExpected } from "./expected.ts";
import { type Listener, listenerName, processEvidence } from "./listener.ts";
import { protectedListeners } from "./protected-listeners.ts";
import { type Reach, reachOf } from "./reach.ts";

const SEVERITIES: Readonly<Record<Reach, Severity>> = {
  Everybody: "high",
  Some: "medium",
  // Other firewalls may keep it from the outside.
  Unknown: "medium",
  Nobody: "low",
};

const REACHED: Readonly<Record<Reach, string>> = {
  Everybody: "open to everybody",
  Some: "open to some",
  Unknown: "on a port that no policy judges",
  Nobody: "not to be reached from outside",
};

/** Listeners on protected ports that nobody said are meant to be there. */
export async function checkListeners(subject: AuditSubject): Promise<CheckResult> {
  const { host, settings } = subject;
  const { expected, auditor, judge } = settings;
  if (expected === undefined) return { status: "NotChecked", reason: "nobody said which listeners are expected" };
  const listeners = await protectedListeners(subject);
  if ("status" in listeners) return listeners;
  const localPorts = await observeLocalPorts(host);
  const findings = listeners
    .filter((listener) => !isExpected(listener, expected, auditor))
    .map((listener) => {
      const client = listener.protocol === "UDP" && localPorts?.holds(listener.port) === true;
      return unexpected(listener, reachOf(listener, judge), client);
    });
  return { status: "Checked", examined: listeners.length, findings };
}

/** A UDP socket on a port that the kernel hands out may well be a client's (a resolver waiting for its answer). */
function unexpected(listener: Listener, reach: Reach, client: boolean): Finding {
  return {
    id: "listeners.unexpected",
    severity: client ? "info" : SEVERITIES[reach],
    subject: listenerName(listener),
    port: listener.port,
    evidence: `listens, ${REACHED[reach]}${client ? ", perhaps a client" : ""}: ${processEvidence(listener)}`.slice(
      0,
      200,
    ),
    remedy: "Stop or uninstall it, bind it to loopback, or add it to the expected listeners",
  };
}
