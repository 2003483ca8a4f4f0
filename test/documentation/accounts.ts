import { type DocumentedCommand, documentedCommands } from "./commands.ts";

const CHART = "test/node/chart/documented.test.ts";
const CLUSTER = "test/cluster/documented.test.ts";
const RUNBOOKS = "test/monitoring/scraped.test.ts";
const WAYS_OUT = "test/cluster/ways-out.test.ts";
const NO_PODS = "the clusters of these tests run no pods; test/node/operator.test.ts reads an agent's log";
const NOT_THIS_HOST = "it would change the machine that the tests run on";

/** Who runs a kind of documented commands, or why nobody does. */
interface Account {
  /** The documents that it speaks of; absent: all. */
  readonly file?: RegExp;
  readonly command: RegExp;
  /** A test file: it runs them as written, but for the names that a reader puts in. */
  readonly runBy?: string;
  readonly because?: string;
}

/** The first that fits a command is its own. A test holds that each command has one, and that each of these has a command. */
export const ACCOUNTS: readonly Account[] = [
  { command: /^npm run demo .*--kubelet/, runBy: "test/node/demo.test.ts" },
  { command: /^npm run demo/, runBy: "test/cluster/demo.test.ts" },
  { command: /^npm run bundle/, runBy: "test/cluster/bundle.ts" },
  { command: /^npm run image/, runBy: "test/node/build-image.ts" },
  { command: /^npm (?:test|run (?:test:\w+|check))/, because: "it is what runs the tests" },
  { command: /^npm run bench/, because: "it measures for minutes" },
  { command: /^(?:node|sh) scripts\//, because: "scripts/check.ts and the set-up of the tests run it" },
  { command: /^docker /, because: "no registry can be reached here" },
  { command: /^(?:crictl|systemctl) /, because: "no kubelet or systemd runs where they could be stopped" },

  { command: /^porthardening (?:lint|explain|render|audit|plan)(?: |$)/, runBy: CLUSTER },
  { command: /^porthardening (?:cleanup|uninstall)/, runBy: "test/cluster/uninstall.test.ts" },
  { command: /^porthardening rollout /, runBy: "test/cluster/controller/rollout.test.ts" },
  { command: /^porthardening (?:disengage|engage)/, runBy: WAYS_OUT },
  { command: /^(?:touch|rm) \/var\/lib\/port-hardening\/disengaged/, runBy: WAYS_OUT },
  { command: /^porthardening agent --policies/, runBy: "test/netns/cli/host-agent.test.ts" },
  { command: /^porthardening (?:agent|controller|guard)/, runBy: "test/cluster/operator.test.ts" },
  { command: /^porthardening (?:apply|confirm)/, runBy: "test/netns/cli/apply.test.ts" },

  { command: /^helm install .* --values FILE$/, runBy: "test/node/chart/release.test.ts" },
  { command: /^helm (?:rollback|uninstall --no-hooks)/, runBy: "test/node/chart/release.test.ts" },
  { command: /^helm \w+ --/, because: "it names an option of a command that is run" },
  { command: /^helm /, runBy: CHART },

  { file: /^docs\/runbooks\//, command: /^kubectl (?:logs|describe certificate|apply)/, because: NO_PODS },
  { file: /^docs\/runbooks\//, command: /^kubectl /, runBy: RUNBOOKS },
  { command: /^kubectl .*\b(?:exec|logs) /, because: NO_PODS },
  { command: /^kubectl .*\brollout status /, because: NO_PODS },
  { file: /^docs\/install\.md$/, command: /^kubectl describe /, because: NO_PODS },
  { file: /^docs\/install\.md$/, command: /^(?:kubectl |sed .*\| kubectl )/, runBy: CHART },
  { command: /^kubectl get clusterreports/, runBy: "test/cluster/agent/reports.test.ts" },
  { command: /^kubectl /, runBy: CLUSTER },

  { command: /^(?:for|nft|ipset) /, runBy: CLUSTER },
  { command: /^(?:rm|cat) /, because: NOT_THIS_HOST },
];

export function accountOf({ file, text }: DocumentedCommand): Account | undefined {
  return ACCOUNTS.find((account) => account.command.test(text) && account.file?.test(file) !== false);
}

/** The commands that a test file has to run, each as often as it stands somewhere. */
export function commandsRunBy(test: string): readonly DocumentedCommand[] {
  return documentedCommands().filter((command) => accountOf(command)?.runBy === test);
}
