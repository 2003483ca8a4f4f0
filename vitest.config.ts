import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take longest begin first, or all others would wait for them in the end. */
const slowest = [
  "test/netns/guard/guard.test.ts",
  "test/cluster/demo.test.ts",
  "test/cluster/faults/killed-cut-off.test.ts",
  "test/cluster/faults/killed-between-steps.test.ts",
  "test/cluster/skew.test.ts",
  "test/cluster/demo-interrupted.test.ts",
  "test/cluster/documented.test.ts",
  "test/cluster/ways-out.test.ts",
  "test/cluster/faults/cut-off.test.ts",
  "test/netns/cli/host-agent.test.ts",
  "test/cluster/faults/cut-armed.test.ts",
  "test/cluster/faults/cut-state.test.ts",
  "test/cluster/rights/agent.test.ts",
  "test/cluster/rights/controller.test.ts",
  "test/cluster/controller/rollout.test.ts",
  "test/cluster/agent/agent.test.ts",
  "test/cluster/peers.test.ts",
  "test/cluster/kube/reflector.test.ts",
  "test/cluster/uninstall.test.ts",
  "test/netns/kernel/linux.test.ts",
  "test/node/demo.test.ts",
  "test/node/operator.test.ts",
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = slowest.findIndex((name) => moduleId.endsWith(name));
      return place < 0 ? slowest.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** Tests of audits that need a kernel or a cluster: audits wait for things to settle, so they are in a tier of their own. */
const audits = [
  "test/netns/audit/**/*.test.ts",
  "test/cluster/agent/{audit,audit-followers,reports}.test.ts",
  "test/cluster/controller/audits*.test.ts",
  "test/cluster/exposure.test.ts",
  "test/cluster/rights/agent.test.ts",
];

/** What an install lives through: versions, roll-outs, leaders, faults, removal, and what the documents tell people to do. */
const lifecycle = [
  "test/cluster/{coming,demo-interrupted,documented,leader-election,peers,pod-range,preview,reach-in,rolled-back,skew}.test.ts",
  "test/cluster/{uninstall,unmatched,ways-out}.test.ts",
  "test/cluster/rights/{controller,uninstall}.test.ts",
  "test/cluster/agent/{fail-static,found-api-server}.test.ts",
  "test/cluster/faults/**/*.test.ts",
  "test/cluster/controller/{fail-static,older-kinds,pod-range,preview-gate,rollout}.test.ts",
  "test/netns/{cli/host-agent,guard/guard}.test.ts",
];

/**
 * One project a tier (docs/architecture.md). The cheap ones first. Unit tests leave nothing behind, so their files share
 * processes. Of the others each file makes a lab of its own, and more of them run at a time
 * than there are processors: they mostly wait.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: 60_000,
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "netns",
          include: ["test/netns/**/*.test.ts"],
          exclude: [...audits, ...lifecycle],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 5,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          exclude: [...audits, ...lifecycle],
          globalSetup: "test/cluster/bundle.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 4,
          sequence: { groupOrder: 3 },
        },
      },
      // Not part of `npm test` (scripts/test.ts), which is to take minutes.
      {
        test: {
          name: "lifecycle",
          include: lifecycle,
          globalSetup: "test/cluster/bundle.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 4,
        },
      },
      // Nor this: its servers take their own set-up.
      {
        test: {
          name: "audit",
          include: ["test/audit/**/*.test.ts", ...audits],
          globalSetup: "test/cluster/bundle.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 4,
        },
      },
      // Neither is this: Prometheus, which takes its own set-up, scrapes agents and controller of a cluster.
      {
        test: {
          name: "monitoring",
          include: ["test/monitoring/**/*.test.ts"],
          globalSetup: "test/cluster/bundle.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
        },
      },
      // Nor this: an image is built, and real kubelets run it.
      {
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          globalSetup: "test/node/build-image.ts",
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
