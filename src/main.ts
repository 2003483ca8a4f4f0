import { Command } from "commander";
import { programVersion } from "./cli/program-version.ts";

/** Loaded only when asked for, so that an agent holds no controller in its memory. */
const COMMANDS = [
  {
    name: "agent",
    summary: "enforce on this node what its PortHardeningNodeState says",
    load: async () => (await import("./cli/agent.ts")).agentCommand(),
  },
  {
    name: "guard",
    summary: "put this node back where no agent confirms a change",
    load: async () => (await import("./cli/guard.ts")).guardCommand(),
  },
  {
    name: "controller",
    summary: "compile policies for each node and report back onto them",
    load: async () => (await import("./cli/controller.ts")).controllerCommand(),
  },
  {
    name: "lint",
    summary: "say what is wrong with policies and groups in files",
    load: async () => (await import("./cli/lint.ts")).lintCommand(),
  },
  {
    name: "render",
    summary: "print the exact rules that a node would get",
    load: async () => (await import("./cli/render.ts")).renderCommand(),
  },
  {
    name: "explain",
    summary: "say what becomes of a packet, and by which rule",
    load: async () => (await import("./cli/explain.ts")).explainCommand(),
  },
  {
    name: "apply",
    summary: "enforce policies from files on this host, without a cluster",
    load: async () => (await import("./cli/apply.ts")).applyCommand(),
  },
  {
    name: "confirm",
    summary: "keep what apply --confirm-within has changed",
    load: async () => (await import("./cli/confirm.ts")).confirmCommand(),
  },
  {
    name: "plan",
    summary: "say what policies would change, and whom they would hit",
    load: async () => (await import("./cli/plan.ts")).planCommand(),
  },
  {
    name: "rollout",
    summary: "show how far a policy has come on the nodes; pause, resume or retry it",
    load: async () => (await import("./cli/rollout.ts")).rolloutCommand(),
  },
  {
    name: "disengage",
    summary: "take this node out of our hands, until engage",
    load: async () => (await import("./cli/disengage.ts")).disengageCommand(),
  },
  {
    name: "engage",
    summary: "give a node back that was disengaged",
    load: async () => (await import("./cli/engage.ts")).engageCommand(),
  },
  {
    name: "cleanup",
    summary: "take everything of ours off this node",
    load: async () => (await import("./cli/cleanup.ts")).cleanupCommand(),
  },
  {
    name: "uninstall",
    summary: "have all agents clear their nodes, before the operator is removed",
    load: async () => (await import("./cli/uninstall.ts")).uninstallCommand(),
  },
  {
    name: "audit",
    summary: "say what is not as it should be on this host",
    load: async () => (await import("./cli/audit.ts")).auditCommand(),
  },
];

const [first, second] = process.argv.slice(2);
const asked = first === "help" ? second : first;
const program = new Command("porthardening")
  .description("Hardens the ephemeral ports of Linux nodes, and reports what it measured.")
  .version(programVersion());
for (const { name, summary, load } of COMMANDS) {
  program.addCommand((name === asked ? await load() : new Command(name)).summary(summary));
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`porthardening: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
