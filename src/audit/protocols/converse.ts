import { firstWords } from "./ascii.ts";
import { type Attempt, tryMemcached, tryPostgreSql, tryText, tryTls } from "./client-first.ts";
import { hear } from "./hear.ts";
import type { Hint } from "./hint.ts";
import { answerGreeting, isGreeting } from "./server-first.ts";
import type { Service } from "./service.ts";
import type { Conversation, Patience } from "./step.ts";

type Question = (patience: Patience) => Conversation<Attempt>;

/**
 * Finds out what a listener speaks, with as little disturbance as there can be: listens first, since a server that greets
 * (SSH, FTP, SMTP, MySQL, telnet) takes anything said before as an error; then a TLS ClientHello, on the same connection;
 * then plain questions, each on a connection of its own, as a server that heard nonsense is no longer in its first state.
 * PostgreSQL and memcached hang up on anything but their own words, and the former logs it: where they are likely, they are
 * asked in them at once.
 */
export function* converse(hint: Hint, patience: Patience): Conversation {
  yield { kind: "Connect" };
  if (!waitsForUs(hint)) {
    const { bytes, closed } = yield* hear(bannerMilliseconds(hint, patience), isGreeting);
    if (bytes.length > 0) return yield* answerGreeting(bytes, hint, patience);
    if (closed) return unknown("hangs up without a word");
  }
  return yield* askInTurn(hint, patience);
}

function* askInTurn(hint: Hint, patience: Patience): Conversation {
  let questions: readonly Question[] = [tryTls, tryText, tryMemcached, tryPostgreSql];
  if (hint.likely === "PostgreSQL") questions = first(tryPostgreSql, questions);
  if (hint.likely === "memcached") questions = first(tryMemcached, questions);
  let said: Uint8Array = new Uint8Array();
  let fresh = true;
  for (let question = questions[0]; question !== undefined; question = questions[0]) {
    if (!fresh && (yield { kind: "Connect" }).kind !== "Connected") break;
    fresh = false;
    const { service, bytes, closed } = yield* question(patience);
    if (service !== undefined) return service;
    if (said.length === 0) said = bytes;
    questions = questions.slice(1);
    // Hanging up without a word is what PostgreSQL does on a ClientHello, and memcached on HTTP.
    if (closed && bytes.length === 0) {
      questions = first(question === tryText ? tryMemcached : tryPostgreSql, questions);
    }
  }
  return unknown(
    said.length === 0 ? "says nothing to TLS, HTTP, memcached and PostgreSQL" : `answers ${firstWords(said)}`,
  );
}

/** The same questions, this one first; without it where it was asked already. */
function first(question: Question, questions: readonly Question[]): readonly Question[] {
  return questions.includes(question) ? [question, ...questions.filter((it) => it !== question)] : questions;
}

function waitsForUs({ likely }: Hint): boolean {
  return likely === "PostgreSQL" || likely === "memcached";
}

function bannerMilliseconds({ likely }: Hint, patience: Patience): number {
  return likely === undefined ? patience.bannerMilliseconds : patience.longBannerMilliseconds;
}

function unknown(detail: string): Service {
  return { protocol: "Unknown", encryption: "Unknown", detail };
}
