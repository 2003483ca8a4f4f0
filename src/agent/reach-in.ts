import { type ProbeAnswer, type ProbeRequest, REACH_REQUESTS_MAX } from "../api/peer-probes.ts";
import type { Probing } from "./probing.ts";

/** Whether other nodes still open new connections to this one, asked by way of status and spec; see `api/peer-probes.ts`. */
export interface ReachIn extends Probing {
  /** What status shall say. They stand until `over`, so that nobody asks this node meanwhile. */
  readonly requests: readonly ProbeRequest[];
  /** From before a change until `over`: what this node reaches now says nothing of others. */
  readonly underWay: boolean;
  /** What spec says now. */
  told(answers: readonly ProbeAnswer[]): void;
  /** Nothing waits to be confirmed any more. */
  over(): void;
}

export interface ReachInOptions {
  /** Ports that must stay reachable and are listened on. Empty: nobody is asked. */
  readonly ports: () => Promise<readonly number[]>;
  readonly now: () => number;
  /** Unlike any that was given before, on any node. */
  readonly newId: () => string;
  /** `requests` says something else. */
  readonly onChange: () => void;
  /** For peers that nobody knows to be silent. */
  readonly patienceMilliseconds?: number;
}

/** A question and its answer are five writes to the API server; a port that is silent takes two seconds more. */
const PATIENCE_MILLISECONDS = 10_000;
/** Behind the first answer: who takes longer than a silent port does may be a peer whose agent is gone. */
const SECOND_MILLISECONDS = 2_000;
/** Where nobody answered the last time (API server or controller away, nobody to ask): a change is not to wait for it. */
const SILENT_MILLISECONDS = 300;

interface Question {
  readonly requests: readonly ProbeRequest[];
  readonly answers: Map<string, ProbeAnswer>;
  /** Something was heard, or another question took its place. */
  heard: () => void;
}

/**
 * Peers are asked before the change and behind it. A place (address and port) counts as lost where one that reached it
 * before does not, and no other reaches it: one peer that is broken does not roll a node back. Where nobody answers, the
 * probe is not available, which is no failure.
 */
export function reachIn(options: ReachInOptions): ReachIn {
  const { now, newId, onChange, patienceMilliseconds = PATIENCE_MILLISECONDS } = options;
  let question: Question | undefined;
  let underWay = false;
  let silent = false;

  /** Whoever waits for the answers to the old one goes on with what there is. */
  function put(next: Question | undefined): void {
    const before = question;
    question = next;
    before?.heard();
  }

  async function ask(ports: readonly number[], milliseconds: number, isEnough: (seen: Seen) => boolean): Promise<Seen> {
    if (ports.length === 0) {
      put(undefined);
      return seenBy([]);
    }
    const at = new Date(now()).toISOString();
    const requests = Array.from({ length: REACH_REQUESTS_MAX }, () => ({ id: newId(), at, ports: [...ports] }));
    const asked: Question = { requests, answers: new Map(), heard: () => undefined };
    put(asked);
    onChange();
    await new Promise<void>((resolve) => {
      let second: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(first);
        clearTimeout(second);
        resolve();
      };
      const first = setTimeout(() => {
        silent = asked.answers.size === 0;
        end();
      }, milliseconds);
      asked.heard = () => {
        const all = asked.answers.size === requests.length;
        if (question !== asked || all || isEnough(seenBy(asked.answers.values()))) end();
        else if (asked.answers.size > 0) second ??= setTimeout(end, SECOND_MILLISECONDS);
      };
    });
    asked.heard = () => undefined;
    return seenBy(asked.answers.values());
  }

  return {
    get requests() {
      return question?.requests ?? [];
    },
    get underWay() {
      return underWay;
    },
    told(answers) {
      if (question === undefined) return;
      for (const { id } of question.requests) {
        const answer = answers.find((one) => one.id === id);
        if (answer === undefined) question.answers.delete(id);
        else question.answers.set(id, answer);
      }
      if (question.answers.size > 0) silent = false;
      question.heard();
    },
    over() {
      underWay = false;
      if (question === undefined) return;
      put(undefined);
      onChange();
    },
    async before() {
      underWay = true;
      // What cannot be looked at is not asked for: other probes are there.
      const ports = await options.ports().catch(() => []);
      const { reached } = await ask(ports, silent ? SILENT_MILLISECONDS : patienceMilliseconds, () => false);
      return [...reached];
    },
    async failing(names, milliseconds = patienceMilliseconds) {
      const ours = names.filter((name) => name.startsWith(PREFIX));
      if (ours.length === 0) return [];
      underWay = true;
      const stillReached = ({ places }: Seen) => ours.every((name) => places.has(placeOf(name)));
      const ports = [...new Set(ours.map(portOf))];
      const { places, missed } = await ask(ports, Math.min(milliseconds, patienceMilliseconds), stillReached);
      return ours.filter((name) => missed.has(name) && !places.has(placeOf(name)));
    },
  };
}

/** What passes `own` and, where they may be asked and that is all right, `peers`: a node that does not reach what it needs waits for nobody else's word. */
export function probedWithPeers(own: Probing, peers: Probing): Probing {
  return {
    async before(askPeers) {
      return (await Promise.all([own.before(askPeers), askPeers ? peers.before(askPeers) : []])).flat();
    },
    async failing(names, milliseconds) {
      const [failing, lost] = [own.failing(names, milliseconds), peers.failing(names, milliseconds)];
      const first = await failing;
      return first.length > 0 ? first : await lost;
    },
  };
}

interface Seen {
  /** Names of what a peer reached, and of what it did not. */
  readonly reached: ReadonlySet<string>;
  readonly missed: ReadonlySet<string>;
  /** What any of them reached. */
  readonly places: ReadonlySet<string>;
}

/** As in `reach-in from node-b to 10.0.0.1:10250`; no name of a node holds a blank. */
const PREFIX = "reach-in from ";

function placeOf(name: string): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}

function portOf(name: string): number {
  return Number(name.slice(name.lastIndexOf(":") + 1));
}

function seenBy(answers: Iterable<ProbeAnswer>): Seen {
  const [reached, missed] = [new Set<string>(), new Set<string>()];
  for (const { peer, paths = [] } of answers) {
    if (peer === undefined) continue;
    for (const { to, open, refused, silent } of paths) {
      const name = (port: number) => `${PREFIX}${peer} to ${to.includes(":") ? `[${to}]` : to}:${port}`;
      for (const port of open) reached.add(name(port));
      for (const port of [...refused, ...silent]) missed.add(name(port));
    }
  }
  return { reached, missed, places: new Set([...reached].map(placeOf)) };
}
