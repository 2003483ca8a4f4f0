import type { Host } from "../../../src/kernel/host.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import type { Family } from "../../../src/plan/node-plan.ts";
import type { TableName } from "../../../src/render/types.ts";
import { BACKLOG, RANGE, RESERVED } from "./samples.ts";

/** A fresh node for one test. */
export interface Subject {
  /** The node itself: a test looks at it, and tampers with it as another process would. */
  readonly host: Host;
  readonly stateFile: string;
  readonly sysctlFile: string;
  /** A kernel that has just started on this node, or on the node as seen through `host`. */
  start(host?: Host): Kernel;
  /** Sends UDP datagrams to the node's own addresses, `count` in each family. */
  send(count: number): Promise<void>;
  close(): void;
}

const QUICKLY = { timeoutMilliseconds: 10_000 };

/** What another process does by `iptables-restore --noflush`. @returns its process id */
export async function tamper(subject: Subject, family: Family, ...lines: string[]): Promise<number> {
  return tamperTable(subject, family, "mangle", ...lines);
}

export async function tamperTable(
  { host }: Subject,
  family: Family,
  table: TableName,
  ...lines: string[]
): Promise<number> {
  let pid = 0;
  await host.run(family === 4 ? "iptables-nft-restore" : "ip6tables-nft-restore", ["--noflush"], {
    ...QUICKLY,
    input: [`*${table}`, ...lines, "COMMIT", ""].join("\n"),
    onSpawn: (id) => {
      pid = id;
    },
  });
  return pid;
}

export async function tamperSets({ host }: Subject, ...lines: string[]): Promise<void> {
  await host.run("ipset", ["restore"], { ...QUICKLY, input: `${lines.join("\n")}\n` });
}

/** Chains and rules as saved, without the date. */
export async function rulesOf({ host }: Subject, family: Family, table: TableName = "mangle"): Promise<string[]> {
  const save = family === 4 ? "iptables-nft-save" : "ip6tables-nft-save";
  const { stdout } = await host.run(save, ["-t", table], QUICKLY);
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** Every set with its entries, sorted. */
export async function setsOf({ host }: Subject): Promise<Record<string, string[]>> {
  const { stdout } = await host.run("ipset", ["list", "-t"], QUICKLY);
  const names = [...stdout.matchAll(/^Name: (\S+)/gm)].map(([, name]) => name ?? "").sort();
  const sets: Record<string, string[]> = {};
  for (const name of names) {
    const listed = await host.run("ipset", ["restore"], { ...QUICKLY, input: `list ${name}\n` });
    const members = listed.stdout.split("Members:\n")[1] ?? "";
    sets[name] = members
      .split("\n")
      .filter((line) => line !== "")
      .sort();
  }
  return sets;
}

/** Our nft table as nft prints it. */
export async function nftTableOf({ host }: Subject): Promise<string | undefined> {
  const listed = host.run("nft", ["-s", "list", "table", "inet", "porthardening"], QUICKLY);
  return listed.then(
    ({ stdout }) => stdout.trimEnd(),
    () => undefined,
  );
}

/** What another process does by `nft -f -`. */
export async function tamperNft({ host }: Subject, input: string): Promise<void> {
  await host.run("nft", ["-f", "-"], { ...QUICKLY, input });
}

/** All of the node that an apply may change. */
export async function dump(subject: Subject) {
  const [range, reserved, backlog] = await Promise.all(
    [RANGE, RESERVED, BACKLOG].map((key) => subject.host.readSysctl(key)),
  );
  return {
    v4: [await rulesOf(subject, 4), await rulesOf(subject, 4, "filter")],
    v6: [await rulesOf(subject, 6), await rulesOf(subject, 6, "filter")],
    nftTable: await nftTableOf(subject),
    sets: await setsOf(subject),
    sysctls: { range, reserved, backlog },
    originals: await subject.host.readFile(subject.stateFile),
    sysctlFile: await subject.host.readFile(subject.sysctlFile),
  };
}
