import { POD_RANGE_NAME } from "../api/pod-range.ts";
import { NotServedError } from "../kube/errors.ts";
import { seizeLease } from "../kube/leader-election.ts";
import { resources } from "../kube/resources.ts";
import { retryOnConflict } from "../kube/retry-on-conflict.ts";
import { sleep } from "../kube/sleep.ts";
import type { KubeClient, KubeObject } from "../kube/types.ts";
import { LEADER_LEASE } from "./leader.ts";
import { fieldAt, recordsAt } from "./wire-fields.ts";

export interface UninstallOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly timeoutMilliseconds: number;
  /** How many of how many nodes are clear. */
  readonly onProgress: (what: string) => void;
  readonly signal: AbortSignal;
}

/** For so long no controller leads afterwards: until whoever uninstalls has removed them. */
const HOLD_SECONDS = 60;
const POLL_MILLISECONDS = 1_000;
const PAGE = 250;
/** NodeStates written at a time: a thousand nodes take seconds, and the API server is not flooded. */
const TOGETHER = 16;

/**
 * Takes the lead from the controllers, assigns nothing to any node, and waits until the agents have said that their nodes
 * are clear. Policies stay as they are. Returns the nodes that did not say so in time.
 */
export async function uninstall(options: UninstallOptions): Promise<readonly string[]> {
  const { client, namespace, timeoutMilliseconds, onProgress, signal } = options;
  const deadline = performance.now() + timeoutMilliseconds;
  const lease = { client, namespace, name: LEADER_LEASE, identity: "uninstall" };
  onProgress("taking the lead, so that no controller assigns anything any more");
  const waitSeconds = await seizeLease(
    { ...lease, durationSeconds: HOLD_SECONDS + timeoutMilliseconds / 1_000 },
    signal,
  );
  await sleep(waitSeconds * 1_000, signal);
  await leavePods(client, signal);
  const names = (await nodeStates(client, signal)).map(({ metadata }) => metadata.name);
  for (let next = 0; next < names.length; next += TOGETHER) {
    await Promise.all(names.slice(next, next + TOGETHER).map((name) => clear(client, name, signal)));
  }
  let left: readonly string[] = names;
  while (!signal.aborted) {
    left = (await nodeStates(client, signal)).filter((state) => !isClear(state)).map(({ metadata }) => metadata.name);
    onProgress(`${names.length - left.length} of ${names.length} nodes are clear`);
    if (left.length === 0 || performance.now() > deadline) break;
    await sleep(POLL_MILLISECONDS, signal);
  }
  await seizeLease({ ...lease, durationSeconds: HOLD_SECONDS }, signal);
  return left;
}

/** New pods get no range any more, whether or not what gives it to them goes too. */
async function leavePods(client: KubeClient, signal: AbortSignal): Promise<void> {
  try {
    await client.delete(resources.podRanges, { name: POD_RANGE_NAME }, signal);
  } catch (error) {
    // The kind came with a later version of the CRDs: pods were never given anything.
    if (!(error instanceof NotServedError)) throw error;
  }
}

async function nodeStates(client: KubeClient, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const all: KubeObject[] = [];
  let next: string | undefined;
  do {
    const page = await client.list(
      resources.nodeStates,
      { limit: PAGE, ...(next === undefined ? {} : { continue: next }) },
      signal,
    );
    all.push(...page.items);
    next = page.continue;
  } while (next !== undefined);
  return all;
}

async function clear(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  await retryOnConflict(async () => {
    const state = await client.get(resources.nodeStates, { name }, signal);
    if (state === undefined || assignedTo(state).length === 0) return;
    const cleared: KubeObject & { readonly spec: object } = { ...state, spec: { policies: [] } };
    await client.replace(resources.nodeStates, cleared, signal);
  }, signal);
}

function assignedTo(state: KubeObject): readonly object[] {
  return recordsAt(fieldAt(state, "spec"), "policies");
}

/** Its agent has seen this very spec, and says that nothing is enforced. */
function isClear(state: KubeObject): boolean {
  const status = fieldAt(state, "status");
  const ready = recordsAt(status, "conditions").find(({ type }) => type === "Ready");
  return (
    assignedTo(state).length === 0 &&
    fieldAt(status, "observedGeneration") === state.metadata.generation &&
    ready?.["status"] === "True" &&
    ready["reason"] === "NothingAssigned"
  );
}
