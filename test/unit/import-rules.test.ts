import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const tree = join(import.meta.dirname, "../..");

/** Per folder of src: imports that the linter must refuse, and imports that it must let pass. */
const folders: Readonly<Record<string, { readonly refused: readonly string[]; readonly allowed: readonly string[] }>> =
  {
    api: {
      refused: ["../plan/types.ts", "node:fs", "node:crypto", "yaml", "./../kube/client.ts"],
      allowed: ["./policy.ts", "zod"],
    },
    plan: {
      refused: ["../render/types.ts", "../kube/types.ts", "node:fs", "node:child_process", "@kubernetes/client-node"],
      allowed: ["./types.ts", "../api/policy.ts", "node:crypto"],
    },
    render: {
      refused: ["../api/policy.ts", "../kernel/kernel.ts", "node:fs", "execa"],
      allowed: ["./types.ts", "../plan/types.ts"],
    },
    preview: {
      refused: ["../api/policy.ts", "../kernel/kernel.ts", "../cli/plan.ts", "../controller/rollout.ts", "node:fs"],
      allowed: ["./types.ts", "../plan/judge.ts", "../render/render.ts"],
    },
    simulate: {
      refused: ["../plan/merge.ts", "../render/render.ts", "../render/rule.ts", "../api/policy.ts", "node:fs"],
      allowed: ["./packet.ts", "../render/types.ts", "../plan/types.ts", "../plan/node-plan.ts", "ipaddr.js"],
    },
    kernel: {
      refused: [
        "../kube/types.ts",
        "../agent/wake.ts",
        "../controller/rollout.ts",
        "../audit/registry.ts",
        "@kubernetes/client-node",
        "pino",
      ],
      allowed: [
        "./kernel.ts",
        "../render/types.ts",
        "../plan/types.ts",
        "../audit/host-view.ts",
        "../audit/sockets.ts",
        "execa",
        "node:fs/promises",
      ],
    },
    kube: {
      refused: ["../plan/types.ts", "../kernel/kernel.ts", "../agent/wake.ts", "execa", "node:child_process"],
      allowed: ["./types.ts", "@kubernetes/client-node/dist/config.js", "undici", "node:timers/promises"],
    },
    agent: {
      refused: [
        "../controller/rollout.ts",
        "../cli/agent.ts",
        "undici",
        "@kubernetes/client-node",
        "node:child_process",
        "execa",
      ],
      allowed: [
        "../plan/merge.ts",
        "../preview/judge-use.ts",
        "../render/render.ts",
        "../kernel/kernel.ts",
        "../kube/types.ts",
        "../api/group.ts",
        "../telemetry/logger.ts",
      ],
    },
    controller: {
      refused: [
        "../agent/wake.ts",
        "../kernel/kernel.ts",
        "../render/render.ts",
        "../cli/agent.ts",
        "@kubernetes/client-node",
        "execa",
      ],
      allowed: ["../plan/select.ts", "../kube/types.ts", "../api/policy.ts", "../telemetry/logger.ts"],
    },
    audit: {
      refused: ["../plan/types.ts", "../kernel/kernel.ts", "../api/../kube/types.ts", "node:fs", "node:net", "execa"],
      allowed: ["./finding.ts", "./listeners/reach.ts", "../api/policy.ts"],
    },
    "audit/listeners": {
      refused: ["../../kernel/kernel.ts", "../../plan/types.ts", "../../api/../kube/types.ts", "node:child_process"],
      allowed: ["./reach.ts", "../finding.ts", "../connections/level.ts", "../../api/ports.ts"],
    },
    telemetry: {
      refused: ["../agent/wake.ts", "../kube/types.ts", "../plan/types.ts", "node:child_process"],
      allowed: ["./logger.ts", "pino", "prom-client", "node:http"],
    },
    cli: {
      refused: ["../../test/lab/lab.ts"],
      allowed: ["../agent/wake.ts", "../controller/rollout.ts", "commander", "node:fs"],
    },
  };

let folder: string;
/** Refused imports as the linter reports them: `src/plan/probe.ts: node:fs`. */
let refusals: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "import-rules-"));
  await copyFile(join(tree, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const [name, { refused, allowed }] of Object.entries(folders)) {
    await mkdir(join(folder, "src", name), { recursive: true });
    const imports = [...refused, ...allowed].map((specifier) => `import ${JSON.stringify(specifier)};\n`);
    await writeFile(join(folder, "src", name, "probe.ts"), imports.join(""));
  }
  const clock = ["api", "plan", "preview", "render", "simulate"].map((name) => join(folder, "src", name, "clock.ts"));
  for (const file of clock) await writeFile(file, "export const now = Date.now();\n");
  refusals = await lint(folder);
});

afterAll(() => rm(folder, { recursive: true }));

describe.each(Object.entries(folders))("src/%s", (name, { refused, allowed }) => {
  it.each(refused)("may not import %s", (specifier) => {
    expect(refusals).toContain(`src/${name}/probe.ts: ${specifier}`);
  });

  it.each(allowed)("may import %s", (specifier) => {
    expect(refusals).not.toContain(`src/${name}/probe.ts: ${specifier}`);
  });
});

it("covers each folder of src", async () => {
  const entries = await readdir(join(tree, "src"), { withFileTypes: true });
  expect(Object.keys(folders)).toEqual(
    // A shell script imports nothing.
    expect.arrayContaining(entries.filter((it) => it.isDirectory() && it.name !== "guard").map((it) => it.name)),
  );
});

it.each(["api", "plan", "preview", "render", "simulate"])("src/%s may not read a clock", (name) => {
  expect(refusals).toContain(`src/${name}/clock.ts: Date`);
});

async function lint(cwd: string): Promise<string[]> {
  const oxlint = join(tree, "node_modules/.bin/oxlint");
  const { stdout } = await execa(oxlint, ["-c", ".oxlintrc.json", "-f", "json"], { cwd, reject: false });
  const { diagnostics }: { diagnostics: { filename: string; message: string; code: string }[] } = JSON.parse(stdout);
  return diagnostics
    .filter(({ code }) => /no-restricted-(imports|globals)/.test(code))
    .map(({ filename, message }) => `${filename}: ${/'([^']+)'/.exec(message)?.[1]}`);
}
