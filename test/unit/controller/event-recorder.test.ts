import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditFacts } from "../../../src/controller/audit-facts.ts";
import { DEFAULT_EVENT_RATES, eventBudget } from "../../../src/controller/event-budget.ts";
import { type EventRecorder, type EventResult, eventRecorder } from "../../../src/controller/event-recorder.ts";
import type { NodeStateFacts } from "../../../src/controller/node-state-facts.ts";
import { ForbiddenError } from "../../../src/kube/errors.ts";
import type { KubeClient, Store } from "../../../src/kube/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { nodeAudit, redis } from "./audit-status.ts";
import { stateFacts, store } from "./facts.ts";
import { type FakeApi, fakeApi } from "./fake-api.ts";

const NOW = Date.parse(redis.since) + 60_000;

let api: FakeApi;
let recorder: EventRecorder;
let results: EventResult[];
let gets: string[];
let looks: string[];
let nodes: Map<string, NodeStateFacts>;
let stop: () => Promise<void>;

beforeEach(() => {
  api = fakeApi();
  nodes = new Map();
  gets = [];
  looks = [];
  start();
});
afterEach(() => stop());

function start(client: Partial<KubeClient> = {}, now = NOW): void {
  results = [];
  const end = new AbortController();
  const nodeStates: Store<NodeStateFacts> = {
    synced: true,
    list: () => [...nodes.values()],
    get: ({ name }) => {
      looks.push(name);
      return nodes.get(name);
    },
  };
  const get: KubeClient["get"] = async (resource, key, signal) => {
    gets.push(key.name);
    return api.get(resource, key, signal);
  };
  recorder = eventRecorder({
    client: { ...api, get, ...client },
    stores: () => ({ policies: store([]), nodeStates }),
    logger: createLogger({ name: "test", level: "fatal" }),
    rates: DEFAULT_EVENT_RATES,
    instance: "test",
    now: () => now,
    onResult: (result) => void results.push(result),
  });
  const running = recorder.run(end.signal);
  stop = async () => {
    end.abort();
    await running;
  };
}

/** The node's agent reports these findings; the controller sees it, or has seen it. */
function report(name: string, top: readonly (typeof redis)[]): void {
  const status = { audit: nodeAudit("p", {}, { top }) };
  const metadata = { name, uid: `state-${name}` };
  const object = { apiVersion: "porthardening.io/v1alpha1", kind: "PortHardeningNodeState", metadata, status };
  api.put("porthardeningnodestates", object);
  nodes.set(name, stateFacts(name, { audit: auditFacts(status.audit) }));
  recorder.nodeChanged(name);
}

const findings = (count: number, since = redis.since) =>
  Array.from({ length: count }, (_, index) => ({ ...redis, subject: `tcp 0.0.0.0:${7000 + index} redis`, since }));
const count = (result: EventResult) => results.filter((one) => one === result).length;
const resultsBecome = (number: number) =>
  waitFor("results", () => (results.length >= number ? true : undefined), {
    timeoutMilliseconds: 2_000,
    intervalMilliseconds: 2,
    lastSeen: () => results.join(),
  });

describe("a finding", () => {
  it("is told once, however often the NodeState changes", async () => {
    report("a", findings(1));
    await resultsBecome(1);
    for (let times = 0; times < 3; times += 1) report("a", findings(1));
    report("a", findings(2));
    await resultsBecome(2);
    expect(results).toEqual(["Made", "Made"]);
  });

  it("is told once also by the next controller", async () => {
    report("a", findings(2));
    await resultsBecome(2);
    await stop();
    start();
    recorder.nodeChanged("a");
    await resultsBecome(2);
    expect(results).toEqual(["Known", "Known"]);
  });

  it("that is older than Events live is no news at the first look, but is when it comes later", async () => {
    await stop();
    start({}, NOW + 3_600_000);
    report("a", findings(1));
    report("b", []);
    await waitFor("both looks", () => (looks.length >= 2 ? true : undefined), { timeoutMilliseconds: 1_000 });
    // A clock of the node that is behind hides nothing.
    report("b", findings(1));
    await resultsBecome(1);
    expect(api.writes).toEqual([expect.stringMatching(/^CREATE events\/b\./)]);
  });
});

describe("the API server", () => {
  it("is asked nothing more when the rate is used up", async () => {
    for (let index = 0; index < 50; index += 1) report(`n${index}`, findings(20));
    await resultsBecome(1_000);
    expect(count("Made")).toBe(100);
    expect(count("Dropped")).toBe(900);
    expect(api.writes.length).toBe(100);
    expect(gets.length).toBeLessThanOrEqual(10);
  });

  it("that refuses is not asked again", async () => {
    let attempts = 0;
    await stop();
    start({
      create: async () => {
        attempts += 1;
        throw new ForbiddenError("no", { request: "POST" });
      },
    });
    report("a", findings(5));
    await resultsBecome(1);
    report("a", findings(5));
    report("b", findings(1));
    await resultsBecome(2);
    expect([attempts, results]).toEqual([2, ["Failed", "Failed"]]);
  });
});

describe("the rate", () => {
  const rates = {
    perObject: { burst: 2, intervalMilliseconds: 1_000 },
    inAll: { burst: 3, intervalMilliseconds: 100 },
  };
  const takes = (budget: ReturnType<typeof eventBudget>, object: string, now: number, times: number) =>
    Array.from({ length: times }, () => budget.take(object, now)).filter(Boolean).length;

  it("bounds one object, and all together", () => {
    const budget = eventBudget(rates);
    expect([takes(budget, "a", 0, 9), takes(budget, "b", 0, 9)]).toEqual([2, 1]);
  });

  it("comes back with time, up to the burst", () => {
    const budget = eventBudget(rates);
    takes(budget, "a", 0, 9);
    expect([takes(budget, "a", 999, 9), takes(budget, "a", 1_000, 9), takes(budget, "a", 60_000, 9)]).toEqual([
      0, 1, 2,
    ]);
  });

  it("does not freeze when the clock steps back", () => {
    const budget = eventBudget(rates);
    takes(budget, "a", 1_000_000, 9);
    takes(budget, "b", 1_000_000, 9);
    expect(takes(budget, "a", 0, 9)).toBe(0);
    expect(takes(budget, "a", 1_000, 9)).toBe(1);
  });
});
