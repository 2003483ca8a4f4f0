import { type NodeStateStatus, nodeStateStatusSchema } from "../api/node-state.ts";
import { ConflictError } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import type { KubeClient, Store } from "../kube/types.ts";
import { workQueue } from "../kube/work-queue.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type EventRates, eventBudget } from "./event-budget.ts";
import { eventObject, type Happening } from "./event-object.ts";
import { type Finding, findingKey, type NodeNews, nodeHappenings, nodeNews } from "./node-happenings.ts";
import type { NodeStateFacts } from "./node-state-facts.ts";
import { podNamesOn, podUidOf } from "./pod-names.ts";
import type { PolicyFacts } from "./policy-facts.ts";
import { policyNews, resumedNews, sumUp } from "./policy-happenings.ts";
import { sumUps } from "./sum-ups.ts";
import { fieldAt } from "./wire-fields.ts";

/** Made: it is there now. Known: it was there already. Dropped: the rate was used up. */
export const EVENT_RESULTS = ["Made", "Known", "Dropped", "Failed"] as const;
export type EventResult = (typeof EVENT_RESULTS)[number];

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly stores: () => { readonly policies: Store<PolicyFacts>; readonly nodeStates: Store<NodeStateFacts> };
  readonly logger: Logger;
  readonly rates: EventRates;
  /** Name of this controller instance. */
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onResult: (result: EventResult) => void;
}

/** Makes Events of what newly stands in statuses. They are for people and nothing depends on them: each is tried once. */
export interface EventRecorder {
  nodeChanged(name: string): void;
  policyChanged(name: string): void;
  run(signal: AbortSignal): Promise<void>;
}

type Dated = Pick<NodeNews, "key" | "since">;
type EventKey = `node/${string}` | `policy/${string}` | `sum/${string}`;

/** The API server forgets Events after an hour (--event-ttl), so what is older would be told a second time after a restart. */
const NEWS_MILLISECONDS = 3_600_000;
/** From a finding without an Event to the sum, and to another look where it is too early for that. */
const SETTLE_MILLISECONDS = 5_000;
const NO_NAMES = "pods not listed: events do not name them";

/**
 * A queue of its own, so that Events never hold up a roll-out. What is news follows from the last look at the same object; at
 * the first look, as after a restart, from its time. An Event's name follows from what happened, so that what another
 * instance made already is not made twice.
 */
export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, stores, logger, rates, instance, now, onResult } = options;
  const budget = eventBudget(rates);
  /** As last looked at; the very objects of the caches, so they cost nothing. */
  const lookedAt = { nodes: new Map<string, NodeStateFacts>(), policies: new Map<string, PolicyFacts>() };
  const sums = sumUps();
  const queue = workQueue<EventKey>({
    reconcile: pass,
    onError: (err, key, retryInMilliseconds) => logger.warn({ err, key, retryInMilliseconds }, "event pass failed"),
  });

  async function pass(key: EventKey, signal: AbortSignal): Promise<void> {
    const slash = key.indexOf("/");
    const [kind, name] = [key.slice(0, slash), key.slice(slash + 1)];
    if (kind === "node") await tellOfNode(name, signal);
    else if (kind === "policy") await tellOfPolicy(name, signal);
    else await sumUpPolicy(name, signal);
  }

  async function tellOfNode(name: string, signal: AbortSignal): Promise<void> {
    const state = stores().nodeStates.get({ name });
    const before = remember(lookedAt.nodes, name, state);
    if (state === undefined) return;
    const news = newAmong(nodeNews(state), before && nodeNews(before));
    if (news.length === 0) return;
    if (!budget.has(`node/${name}`, now())) return drop(news, state);
    const happenings = await attempt(() => describe(state, news, signal), signal);
    if (happenings === undefined) return;
    for (const [index, happening] of happenings.entries()) {
      if (!budget.take(`node/${name}`, now())) return drop(happenings.slice(index), state);
      if (!(await make(happening, signal))) return;
    }
  }

  async function tellOfPolicy(name: string, signal: AbortSignal): Promise<void> {
    const policy = stores().policies.get({ name });
    const before = remember(lookedAt.policies, name, policy);
    if (policy === undefined) sums.forget(name);
    if (policy === undefined) return;
    const news = newAmong(policyNews(policy), before && policyNews(before)).map(({ happening }) => happening);
    for (const happening of [...(before === undefined ? [] : resumedNews(before, policy)), ...news]) {
      if (!budget.take(`policy/${name}`, now())) onResult("Dropped");
      else if (!(await make(happening, signal))) return;
    }
  }

  /** Once an hour for each policy, whatever the rates: there are few policies. */
  async function sumUpPolicy(name: string, signal: AbortSignal): Promise<void> {
    const policy = stores().policies.get({ name });
    const hour = Math.floor(now() / NEWS_MILLISECONDS);
    if (policy === undefined) return;
    const turn = sums.turn(policy, hour, now());
    if (turn === "Later") queue.addAfter(`sum/${name}`, SETTLE_MILLISECONDS);
    if (turn === "Now") await make(sumUp(policy, hour), signal);
  }

  /** Texts are not cached: they are read where there is something to tell. Pods only where a finding is about one. */
  async function describe({ name }: NodeStateFacts, news: readonly NodeNews[], signal: AbortSignal) {
    const object = await client.get(resources.nodeStates, { name }, signal);
    if (object === undefined) return [];
    const status: NodeStateStatus = nodeStateStatusSchema.safeParse(fieldAt(object, "status")).data ?? {};
    const { uid = "", ownerReferences = [] } = object.metadata;
    const nodeUid = ownerReferences.find(({ kind }) => kind === "Node")?.uid;
    const wanted = new Set(news.map(({ key }) => key));
    const uidOf = (finding: Finding) => podUidOf(finding, status.listeners) ?? "";
    const inPods = status.audit?.top.some((finding) => wanted.has(findingKey(finding)) && uidOf(finding) !== "");
    // Without their names the Events are still worth having.
    const pods = inPods === true ? await attempt(() => podNamesOn(client, name, signal), signal, NO_NAMES) : undefined;
    const all = nodeHappenings({ name, uid, nodeUid }, status, (finding) => pods?.get(uidOf(finding)));
    return [...all].flatMap(([key, happening]) => (wanted.has(key) ? [happening] : []));
  }

  async function make(happening: Happening, signal: AbortSignal): Promise<boolean> {
    const event = eventObject(happening, instance, new Date(now()));
    try {
      await client.create(resources.events, event, signal);
      onResult("Made");
    } catch (error) {
      if (!(error instanceof ConflictError)) return failed(error, signal);
      onResult("Known");
    }
    return true;
  }

  async function attempt<T>(call: () => Promise<T>, signal: AbortSignal, what?: string): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      failed(error, signal, what);
      return undefined;
    }
  }

  /** The rest of the pass is given up as well: an API server in trouble has better things to do. */
  function failed(err: unknown, signal: AbortSignal, what = "event not made"): false {
    if (signal.aborted) return false;
    onResult("Failed");
    logger.warn({ err }, what);
    return false;
  }

  function drop(what: readonly { readonly action: Happening["action"] }[], { audit }: NodeStateFacts): void {
    for (let left = what.length; left > 0; left -= 1) onResult("Dropped");
    // A repair that is not told is counted in the node's status.
    if (!what.some(({ action }) => action === "Audit")) return;
    for (const { name, findings } of audit?.policies ?? []) {
      if (Object.values(findings).some((count) => count > 0)) queue.addAfter(`sum/${name}`, SETTLE_MILLISECONDS);
    }
  }

  function newAmong<News extends Dated>(after: readonly News[], before: readonly Dated[] | undefined): News[] {
    if (before === undefined) return after.filter(({ since }) => now() - Date.parse(since) < NEWS_MILLISECONDS);
    const known = new Set(before.map(({ key }) => key));
    return after.filter(({ key }) => !known.has(key));
  }

  return {
    nodeChanged: (name) => queue.add(`node/${name}`),
    policyChanged: (name) => queue.add(`policy/${name}`),
    run: (signal) => queue.run(signal),
  };
}

/** What was there before, if it was the same object: one that was made anew is looked at for the first time. */
function remember<Facts extends { readonly uid: string }>(
  known: Map<string, Facts>,
  name: string,
  after: Facts | undefined,
): Facts | undefined {
  const before = known.get(name);
  if (after === undefined) known.delete(name);
  else known.set(name, after);
  return before?.uid === after?.uid ? before : undefined;
}
