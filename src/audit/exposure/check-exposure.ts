import type { ProbedPath } from "../../api/peer-probes.ts";
import { printable } from "../../api/printable.ts";
import type { CheckResult, Finding } from "../finding.ts";
import { type Listener, listenerName } from "../listeners/listener.ts";
import type { ExpectedRefusal, ExposureJudge } from "./expected.ts";
import { hears } from "./hears.ts";

/** What a peer measured of this node. */
export interface Exposure {
  readonly peer: string;
  readonly paths: readonly ProbedPath[];
}

interface Tried {
  readonly port: number;
  readonly answer: "open" | "refused" | "silent";
  readonly path: ProbedPath;
  /** Each by one judge. */
  readonly expected: readonly (ExpectedRefusal | undefined)[];
}

/**
 * What a peer reached, against what the policies say. Several judges: the policies when the peer was asked and those of
 * now; what they do not agree on may have been measured under either, and is left out. Pure.
 */
export function checkExposure(
  { peer, paths }: Exposure,
  listeners: readonly Listener[],
  judges: readonly ExposureJudge[],
): CheckResult {
  const tried = paths.flatMap((path) =>
    (["open", "refused", "silent"] as const).flatMap((answer) =>
      path[answer].map((port): Tried => {
        return { port, answer, path, expected: judges.map((judge) => judge({ from: path.from, to: path.to, port })) };
      }),
    ),
  );
  if (tried.length === 0) {
    const problem = paths.find((path) => path.problem !== undefined)?.problem ?? "it tried no port";
    return { status: "NotChecked", reason: `${peer} measured nothing: ${problem}` };
  }
  const findings = [...openLeaks(tried, peer, listeners), ...closedLeaks(tried, peer), ...cuts(tried, peer, listeners)];
  return { status: "Checked", examined: tried.length, findings };
}

/** The rule by which all judges refuse it; undefined where one of them lets it pass. */
function refusal({ expected }: Tried): ExpectedRefusal | undefined {
  return expected.includes(undefined) ? undefined : expected.at(-1);
}

function passes({ expected }: Tried): boolean {
  return expected.every((one) => one === undefined);
}

function openLeaks(tried: readonly Tried[], peer: string, listeners: readonly Listener[]): Finding[] {
  const open = tried.filter((one) => one.answer === "open" && refusal(one) !== undefined);
  return byPort(open).map(({ one, others }) => ({
    id: "exposure.leak",
    severity: "high",
    subject: subjectOf(one, listeners),
    port: one.port,
    evidence: clip(`open to ${way(one, peer)}${also(others)}, though ${rule(refusal(one))} refuses it`),
    remedy:
      "Find what lets it past our rules: is the policy enforced here, does another firewall translate or redirect it?",
  }));
}

/** A closed port that answers shows that the firewall did not stand before it. The sample differs in each audit, so one for each policy. */
function closedLeaks(tried: readonly Tried[], peer: string): Finding[] {
  const answered = tried.filter((one) => one.answer === "refused" && refusal(one)?.rejects === false);
  return [...Map.groupBy(answered, (one) => refusal(one)?.policy)].flatMap(([policy, closed]) => {
    const [first] = closed;
    if (first === undefined) return [];
    const ports = new Set(closed.map(({ port }) => port));
    return {
      id: "exposure.leak",
      severity: "high",
      subject: `ports that policy ${policy} closes`,
      port: first.port,
      evidence: clip(
        `answered by a reset to ${way(first, peer)}, though ${rule(refusal(first))} drops it: ${[...ports].join(", ")}`,
      ),
      remedy:
        "Find what lets it past our rules: is the policy enforced here, does another firewall reject or redirect it?",
    } as const;
  });
}

function cuts(tried: readonly Tried[], peer: string, listeners: readonly Listener[]): Finding[] {
  const cut = tried.filter((one) => {
    const heard = hears(listeners, one.path.to, one.port);
    return passes(one) && (one.answer === "silent" ? heard !== "No" : one.answer === "refused" && heard === "Yes");
  });
  return byPort(cut).map(({ one, others }) => ({
    id: "exposure.cut",
    severity: "medium",
    subject: subjectOf(one, listeners),
    port: one.port,
    evidence: clip(
      `${one.answer === "silent" ? "no answer" : "reset"} to ${way(one, peer)}${also(others)}, though no policy refuses it and something listens`,
    ),
    remedy: "See what else filters between the nodes: another firewall on either one, a security group",
  }));
}

/** One finding for all paths to a port. */
function byPort(tried: readonly Tried[]): { readonly one: Tried; readonly others: readonly Tried[] }[] {
  const ports = [...Map.groupBy(tried, ({ port }) => port).values()];
  return ports.flatMap(([one, ...others]) => (one === undefined ? [] : [{ one, others }]));
}

function subjectOf({ port, path }: Tried, listeners: readonly Listener[]): string {
  const listener = listeners.find((one) => hears([one], path.to, port) !== "No");
  return listener === undefined ? `TCP ${port}` : listenerName(listener);
}

function way({ path }: Tried, peer: string): string {
  return `${path.from} (${printable(peer).slice(0, 63)}) at ${path.to}`;
}

function also(others: readonly Tried[]): string {
  return others.map(({ path }) => ` and ${path.to}`).join("");
}

function rule(refused: ExpectedRefusal | undefined): string {
  return refused === undefined ? "no rule" : `${refused.entry} of policy ${refused.policy}`;
}

function clip(evidence: string): string {
  return evidence.slice(0, 200);
}
