import { expect } from "vitest";
import { resources } from "../../../src/kube/resources.ts";
import type { KubeClient } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";
import type { Right, Roles } from "./roles.ts";
import { type Look, type Step, until } from "./steps.ts";

/** What is lost where one right is missing. */
export interface Loss<Place> {
  /** As in `Right.text`. */
  readonly right: string;
  /** What holds no more. */
  readonly promise: string;
  /** The program is started without the right: a watch that is open stays so, and what it wrote it remembers. */
  readonly anew?: true;
  /** With all rights, and with the program stopped where it is started anew. */
  readonly before?: Step<Place>;
  /** What should lead to what the promise says. */
  readonly deed?: Step<Place>;
  readonly held: Look<Place>;
  /** It is tried once: with the right back, another deed is to show it. */
  readonly once?: true;
  /** Where the refusal is told; absent: in the program's log. */
  readonly told?: (place: Place, name: string) => Promise<string>;
}

/** The program that has the rights. */
export interface Program {
  /** All that it has logged since it was started. */
  log(): string;
  stop(): Promise<unknown>;
  start(): Promise<unknown>;
}

interface Losing<Place> {
  readonly place: Place;
  readonly program: Program;
  readonly roles: Roles;
  /** Of what the steps make; a number in it tells it from others. */
  readonly name: string;
  /** What is to be so before the right is given back; throws where it is not. */
  readonly meanwhile?: (right: Right) => Promise<void>;
}

/**
 * Takes the right away alone, and waits until the program has asked for it, was refused, has said so, and tried anew: so
 * all that can be done without it is done. Says whether the promise holds then. Afterwards the right is given back, and
 * nothing else done; throws where the promise does not come to hold by that.
 */
export async function holdsWithout<Place>(loss: Loss<Place>, losing: Losing<Place>): Promise<boolean> {
  const { place, program, roles, name, meanwhile } = losing;
  const { anew, before, deed, held, once, told } = loss;
  const right = roles.rights.find(({ text }) => text === loss.right);
  if (right === undefined) throw new Error(`nothing gives the right to ${loss.right}`);
  if (anew) await program.stop();
  await before?.(place, name);
  const known = anew ? 0 : program.log().length;
  const said = () => told?.(place, name) ?? Promise.resolve(program.log().slice(known));
  await roles.withdraw(right);
  let holds: boolean;
  try {
    let refusals = 0;
    if (anew) {
      await program.start();
      refusals = await refused(right, 1, said);
    }
    await deed?.(place, name);
    const more = told === undefined && !once && !anew ? 2 : 1;
    await refused(right, refusals + more, said);
    holds = await held(place, name);
    await meanwhile?.(right);
  } finally {
    await roles.giveBack(right);
  }
  const again = once === true ? `${name}-again` : name;
  if (once) {
    await before?.(place, again);
    await deed?.(place, again);
  }
  await until(held, place, again);
  return holds;
}

/** Waits until the API server's refusal was said so many times; says how many times it was. */
async function refused({ text, verb, resource }: Right, times: number, said: () => Promise<string>): Promise<number> {
  const refusal = new RegExp(String.raw`cannot ${verb} resource \\?"${resource}\\?"`, "g");
  let all = "";
  return waitFor(
    `"${text}" to be told as refused, ${times} times`,
    async () => {
      all = await said();
      const count = [...all.matchAll(refusal)].length;
      return count >= times ? count : undefined;
    },
    { timeoutMilliseconds: 60_000, lastSeen: () => all.slice(-3_000) },
  );
}

/** Fails where a right has no loss, or a loss no right, or either is there twice. */
export function expectLossForEach(rights: readonly Right[], losses: readonly { readonly right: string }[]): void {
  expect(losses.map(({ right }) => right).toSorted()).toEqual(rights.map(({ text }) => text).toSorted());
}

/** So that the next loss begins with none. For a moment after its CRD was made an API server refuses to list a kind. */
export async function removePolicies(admin: KubeClient): Promise<void> {
  await waitFor(
    "the policies to go",
    async () => {
      const { items } = await admin.list(resources.policies, {});
      for (const { metadata } of items) await admin.delete(resources.policies, { name: metadata.name });
      return items.length === 0 ? true : undefined;
    },
    { timeoutMilliseconds: 30_000 },
  );
}
