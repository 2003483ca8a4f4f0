import { describe, expect, it } from "vitest";
import { type ComingView, coming } from "../../../src/agent/coming.ts";
import { compileEnforcement } from "../../../src/agent/enforcement.ts";
import type { ComingOnNode } from "../../../src/api/coming.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import type { AssignedPolicy } from "../../../src/plan/types.ts";
import type { Flow, NodeUse } from "../../../src/preview/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { assigned, someGroups } from "../plan/policies.ts";

const clock = () => Date.parse("2026-01-01T00:00:00Z");
const flow = (peer: string, port: number, connections: number): Flow => {
  return { openings: [{ direction: "Inbound", family: 4, protocol: "TCP", peer, port, local: "" }], connections };
};
const used: NodeUse = {
  places: [
    { kind: "Listener", protocol: "TCP", address: "0.0.0.0", port: 9100, name: "node_exporter" },
    { kind: "Listener", protocol: "TCP", address: "0.0.0.0", port: 2222, name: "sshd" },
  ],
  flows: [flow("203.0.113.9", 9100, 14), flow("203.0.113.8", 2222, 2)],
  flowsComplete: true,
  gaps: [],
};
const cutting = assigned({ firewall: { existing: "Cut", inbound: {} } }, "web");
const keeping = assigned({ firewall: { inbound: {} } }, "web");
const open = assigned({ firewall: { inbound: { allow: [{ name: "all" }] } } }, "web");

const view = (waiting: readonly unknown[], more: Partial<ComingView> = {}): ComingView => {
  const settings = DEFAULT_NODE_SETTINGS;
  return { waiting, held: undefined, settling: false, groups: someGroups, settings, revision: 1, ...more };
};
const holding = (...policies: AssignedPolicy[]) =>
  compileEnforcement(policies, { present: someGroups, before: [] }, DEFAULT_NODE_SETTINGS);

/** A node that looks at what comes for as long as `work` takes. */
async function onNode(
  work: (node: {
    follow(view: ComingView): void;
    remember(before: readonly ComingOnNode[]): void;
    status(): readonly ComingOnNode[];
    looking(): boolean;
    said(): Promise<readonly ComingOnNode[]>;
    looks(): number;
  }) => Promise<void>,
  observe: () => Promise<NodeUse> = async () => used,
) {
  let looks = 0;
  const log = createLogger({ name: "agent", level: "fatal" });
  const { follow, remember, status, looking, run } = coming({
    observe: () => {
      looks += 1;
      return observe();
    },
    log,
    clock: { now: clock, wallOf: (moment) => moment },
    onChange: () => undefined,
  });
  const end = new AbortController();
  const running = run(end.signal);
  try {
    await work({
      follow,
      remember,
      status,
      looking,
      looks: () => looks,
      async said() {
        await waitFor("the end of a look", async () => (looking() ? undefined : true), {
          timeoutMilliseconds: 30_000,
          intervalMilliseconds: 5,
        });
        return status();
      },
    });
  } finally {
    end.abort();
    await running;
  }
}

describe("a revision that waits for its turn", () => {
  it("is judged by who uses the node: what it would cut, the worst first", async () => {
    await onNode(async ({ follow, said }) => {
      follow(view([cutting]));
      expect(await said()).toEqual([
        {
          name: "web",
          hash: cutting.hash,
          at: "2026-01-01T00:00:00.000Z",
          outcome: "Cuts",
          cut: 16,
          refused: 0,
          overLimit: 0,
          sshSessions: 2,
          closedPorts: 2,
          top: [
            {
              effect: "Cut",
              direction: "Inbound",
              peer: "203.0.113.9",
              protocol: "TCP",
              port: 9100,
              process: "node_exporter",
              connections: 14,
            },
            {
              effect: "Cut",
              direction: "Inbound",
              peer: "203.0.113.8",
              protocol: "TCP",
              port: 2222,
              process: "sshd",
              connections: 2,
            },
          ],
        },
      ]);
    });
  });

  it("is told apart where connections live on, and says so where nothing is cut", async () => {
    await onNode(async ({ follow, said }) => {
      follow(view([keeping]));
      expect(await said()).toMatchObject([{ outcome: "Cuts", cut: 0, refused: 16, sshSessions: 2 }]);
      follow(view([open]));
      expect(await said()).toMatchObject([{ hash: open.hash, outcome: "CutsNothing", cut: 0, refused: 0 }]);
    });
  });

  it("is judged on top of what is in force: what is cut already is not blamed on it", async () => {
    await onNode(async ({ follow, said }) => {
      const other = assigned({ firewall: { existing: "Cut", inbound: { ports: [9100] } } }, "other");
      follow(view([cutting], { held: holding(other) }));
      expect(await said()).toMatchObject([{ cut: 2, top: [{ port: 2222 }] }]);
    });
  });

  it("knows the failsafes that were found on the node", async () => {
    const ssh = { name: "found-ssh", protocol: "TCP", ports: [{ from: 2222, to: 2222 }], peers: "Everybody" } as const;
    const { failsafes } = DEFAULT_NODE_SETTINGS;
    const found = { ...DEFAULT_NODE_SETTINGS, failsafes: { ...failsafes, inbound: [...failsafes.inbound, ssh] } };
    await onNode(async ({ follow, said }) => {
      follow(view([cutting], { settings: found }));
      expect(await said()).toMatchObject([{ cut: 14, sshSessions: 0 }]);
    });
  });

  it("waits until the controller has published what it names, and until what is assigned is in force", async () => {
    await onNode(async ({ follow, said, status, looking, looks }) => {
      follow(view([cutting], { groups: [] }));
      expect(await said()).toEqual([]);
      expect(looks()).toBe(0);
      follow(view([cutting], { settling: true, revision: 2 }));
      expect([looking(), status()]).toEqual([false, []]);
      follow(view([cutting], { revision: 3 }));
      expect(await said()).toMatchObject([{ outcome: "Cuts" }]);
    });
  });

  it("is Unknown, never nothing, where it cannot be judged", async () => {
    const { plan: _, ...withoutPlan } = cutting;
    await onNode(async ({ follow, said }) => {
      follow(view([withoutPlan, { ...keeping, name: "broken", hash: "0123456789abcdef" }]));
      expect(await said()).toMatchObject([
        { name: "web", outcome: "Unknown", message: "its plan did not fit into the NodeState" },
        { name: "broken", outcome: "Unknown", message: expect.stringContaining("0123456789abcdef") },
      ]);
    });
    await onNode(
      async ({ follow, said }) => {
        follow(view([cutting]));
        expect(await said()).toMatchObject([{ outcome: "Unknown", message: "no such file" }]);
      },
      () => Promise.reject(new Error("no such file")),
    );
  });

  it("says where connections could not all be seen", async () => {
    const untracked: NodeUse = { ...used, flowsComplete: false, gaps: [{ reason: "UdpNotTracked" }] };
    await onNode(
      async ({ follow, said }) => {
        follow(view([cutting]));
        expect(await said()).toMatchObject([{ atLeast: true, message: expect.stringContaining("UDP and SCTP") }]);
      },
      async () => untracked,
    );
  });
});

describe("looks", () => {
  it("are one for each revision: nothing new, nothing looked at", async () => {
    await onNode(async ({ follow, said, looking, looks }) => {
      follow(view([cutting]));
      await said();
      follow(view([structuredClone(cutting)]));
      expect([looking(), looks()]).toEqual([false, 1]);
      // A group was edited: in a minute, as editing goes on.
      follow(view([cutting], { revision: 2 }));
      expect([looking(), looks()]).toEqual([false, 1]);
      follow(view([keeping], { revision: 2 }));
      expect(looking()).toBe(true);
      await said();
      expect(looks()).toBe(2);
    });
  });

  it("that find the same again change no status, not even their time", async () => {
    await onNode(async ({ follow, said, remember }) => {
      const at = "2025-12-31T00:00:00.000Z";
      const before = { name: "web", hash: open.hash, at, outcome: "CutsNothing" } as const;
      const nothing = { ...before, cut: 0, refused: 0, overLimit: 0, sshSessions: 0, closedPorts: 0 };
      remember([nothing]);
      follow(view([open]));
      expect(await said()).toEqual([nothing]);
    });
  });

  it("are forgotten with what they were about", async () => {
    await onNode(async ({ follow, said, status }) => {
      follow(view([cutting]));
      await said();
      follow(view([]));
      expect(status()).toEqual([]);
    });
  });
});
