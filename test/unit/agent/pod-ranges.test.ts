import { describe, expect, it } from "vitest";
import { podNetworks } from "../../../src/agent/pod-networks.ts";
import { type PodRanges, podRanges } from "../../../src/agent/pod-ranges.ts";
import { ToolMissingError } from "../../../src/kernel/errors.ts";
import { merge } from "../../../src/plan/merge.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { hostView } from "../audit/recorded-host.ts";
import { assigned } from "../plan/policies.ts";

const uid = (digit: string) => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
const [A, B, C] = ["a", "b", "c"].map(uid);
const cgroup = (pod: string) =>
  `0::/kubepods.slice/kubepods-pod${pod.replaceAll("-", "_")}.slice/cri-containerd-1.scope\n`;

/** A host with these processes: control group and network namespace by pid. */
function host(processes: Readonly<Record<number, readonly [cgroup: string, network: number]>>) {
  const of = Object.entries(processes);
  return hostView({
    files: Object.fromEntries(of.map(([pid, [text]]) => [`/proc/${pid}/cgroup`, text])),
    links: Object.fromEntries([
      ["/proc/self/ns/net", "net:[1]"],
      ...of.map(([pid, [, network]]) => [`/proc/${pid}/ns/net`, `net:[${network}]`]),
    ]),
  });
}

describe("the networks of pods", () => {
  it("are those of pods alone, each once, but for the node's own", async () => {
    const view = host({
      1: ["0::/init.scope\n", 1],
      50: ["0::/system.slice/vpn.service\n", 9],
      100: [cgroup(A ?? ""), 2],
      101: [cgroup(A ?? ""), 2],
      200: [cgroup(B ?? ""), 3],
      300: [cgroup(C ?? ""), 1],
    });
    expect(await podNetworks(view)).toEqual([
      { podUid: A, namespace: "net:[2]", pid: 100 },
      { podUid: B, namespace: "net:[3]", pid: 200 },
    ]);
  });

  it("are that of the first process, where a container made itself another", async () => {
    const view = host({
      90: [cgroup(A ?? ""), 2],
      1000: [cgroup(A ?? ""), 7],
      40: [cgroup(C ?? ""), 1],
      41: [cgroup(C ?? ""), 8],
    });
    expect(await podNetworks(view)).toEqual([{ podUid: A, namespace: "net:[2]", pid: 90 }]);
  });
});

describe("the count of pods", () => {
  const plan = (spec: object) => merge([assigned(spec)], [], DEFAULT_NODE_SETTINGS);
  const injecting = (range: string) => plan({ ephemeralPorts: { range, pods: "Inject" } });
  const three = host({ 100: [cgroup(A ?? ""), 2], 200: [cgroup(B ?? ""), 3], 300: [cgroup(C ?? ""), 4] });
  const values: Readonly<Record<number, string>> = { 100: "49152\t65535", 200: "32768\t60999" };

  /** Runs until the body ends. `entered`: the pids whose network was entered, in order. */
  async function running(
    body: (pods: PodRanges, entered: readonly number[]) => Promise<void>,
    {
      read = async (pid: number) => values[pid],
    }: { readonly read?: (pid: number) => Promise<string | undefined> } = {},
  ) {
    const entered: number[] = [];
    const end = new AbortController();
    const pods = podRanges({
      host: three,
      sysctlIn: async (pid) => {
        entered.push(pid);
        return read(pid);
      },
      log: createLogger({ name: "agent", level: "fatal" }),
      onChange: () => undefined,
      lookEveryMilliseconds: 5,
    });
    const done = pods.run(end.signal);
    try {
      await body(pods, entered);
    } finally {
      end.abort();
      await done;
    }
  }
  const counted = (pods: PodRanges) => waitFor("a count", async () => pods.counts(), { timeoutMilliseconds: 5_000 });

  it("is of those whose network could be read, against the range that is enforced", async () => {
    await running(async (pods) => {
      pods.follow(injecting("49152-65535"));
      expect(await counted(pods)).toEqual({ running: 2, withRange: 1 });
      pods.follow(injecting("32768-60999"));
      expect(pods.counts()).toEqual({ running: 2, withRange: 1 });
      pods.follow(injecting("32768-60000"));
      expect(pods.counts()).toEqual({ running: 2, withRange: 0 });
    });
  });

  it("enters no network twice that it could read, and no network where no policy asks", async () => {
    await running(async (pods, entered) => {
      pods.follow(plan({ ephemeralPorts: { range: "49152-65535" } }));
      pods.follow(plan({ mode: "Observe", ephemeralPorts: { range: "49152-65535", pods: "Inject" } }));
      expect([pods.counts(), entered]).toEqual([undefined, []]);
      pods.follow(injecting("49152-65535"));
      await waitFor("three looks", async () => entered.filter((pid) => pid === 300).length >= 3 || undefined, {
        timeoutMilliseconds: 5_000,
      });
      expect(entered.filter((pid) => pid !== 300)).toEqual([100, 200]);
      pods.follow(undefined);
      expect(pods.counts()).toBeUndefined();
    });
  });

  it("is none where nobody can look, rather than a count of nothing", async () => {
    const read = async () => {
      throw new ToolMissingError("nsenter", "install util-linux");
    };
    await running(
      async (pods, entered) => {
        pods.follow(injecting("49152-65535"));
        await waitFor("two looks", async () => entered.length >= 2 || undefined, { timeoutMilliseconds: 5_000 });
        expect(pods.counts()).toBeUndefined();
      },
      { read },
    );
  });
});
