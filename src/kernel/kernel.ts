/**
 * What the agent needs of a node. Implemented by `linuxKernel` (the real thing) and `fakeKernel` (state in memory);
 * both pass the same contract suite.
 */
import type { NodeNetwork, TrackedConnection } from "../plan/connections.ts";
import type { Family } from "../plan/node-plan.ts";
import type { Protocol } from "../plan/types.ts";
import type { RuleSet, SysctlSetting } from "../render/types.ts";

/** What one `apply` or `verify` found and did. */
export interface ApplyResult {
  /** Nothing had to be written. */
  readonly unchanged: boolean;
  /** What differed, for people: `chain PH-IN (v4) missing`, `set ph-4-ab12 2 of 100 entries`, `net.ipv4.tcp_syncookies 0, not 1`. */
  readonly differences: readonly string[];
  /** Hash over what was read back after the write; equal hashes = equal rules, sets and sysctls. */
  readonly readBackHash: string;
  readonly milliseconds: number;
}

/** New connections get past one of our hooks: a rule of somebody else ahead of it accepts them. */
export interface HookEvasion {
  /** `PREROUTING (v4)`, `filter OUTPUT (v6)`. */
  readonly place: string;
  /** The rule that stands before ours. */
  readonly ahead: string;
  /** The one that accepts, there or in a chain that it leads to: `cali-PREROUTING -j ACCEPT`. */
  readonly rule: string;
  /** Policies that would have judged some of them; empty: not known. */
  readonly policies: readonly string[];
}

/** Something listens there, in the node's own network. */
export interface ListeningPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** A line of a file below sysctl.d (or of sysctl.conf) that is read after ours and says otherwise. */
export interface SysctlOverride {
  readonly key: string;
  readonly value: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Packets and bytes that matched the rule with this comment (`policy/entry/hash`), since the rule was written. */
export interface RuleCounter {
  readonly family: Family;
  readonly chain: string;
  readonly comment: string;
  readonly packets: number;
  readonly bytes: number;
}

/** How many sources a limit's table remembers at the moment: those that spent of their budget and have not earned it back. */
export interface LimitSources {
  readonly table: string;
  readonly family: Family;
  readonly sources: number;
}

/** How many packets the rules of an observer counted for an address. */
export interface AddressCount {
  readonly address: string;
  readonly packets: number;
}

/** How many packets of an address, to one port, a rule that drops has remembered. Inbound it is the source, outbound the destination. */
export interface DroppedPeer {
  readonly address: string;
  readonly protocol: Protocol;
  /** That was to be opened. */
  readonly port: number;
  readonly packets: number;
}

/** Somebody else touched what is ours. `by` as nft monitor names it: `process 2771 (iptables)`. */
export interface DriftEvent {
  readonly by: string | undefined;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
}

/** What brings a node back without us: files that the guard reads (src/guard/guard.sh), content by name. */
export type RollBackFiles = ReadonlyMap<string, string>;

/** What `apply` is about to write. */
export interface PlannedWrite {
  /** As in `ApplyResult`. */
  readonly differences: readonly string[];
  /** What brings the node back to what it is now, without this process. */
  readonly rollBack: RollBackFiles;
  /** No rule of ours is there, as after a boot. */
  readonly fresh: boolean;
}

export interface KernelFacts {
  readonly backend: "iptables-nft";
  readonly iptablesVersion: string;
  readonly kernelVersion: string;
  /** False: no connection is known yet, so the first enforcement must prime (DESIGN 6). */
  readonly conntrackActive: boolean;
}

export interface Kernel {
  /** Tools and kernel, read anew. Throws ToolMissingError naming the package to install. */
  facts(): Promise<KernelFacts>;
  /**
   * Why inbound traffic cannot be rejected here: nft is not installed, or somebody's rule behind ours overwrites the
   * mark. Undefined where it can. Read anew.
   */
  rejectObstacle(): Promise<string | undefined>;
  /**
   * Makes the kernel match, as one unit: any failure restores what was there and throws, with the tool's own words:
   * RestoreError, SysctlError, ToolError, ToolMissingError, ReadBackError, MissingTargetError (found before any write),
   * or RollBackError where what was there could not be restored. Reads back after each write. Writes nothing where
   * nothing differs. Where something does, `beforeWrite` has ended before the first byte is written; where it throws,
   * nothing is.
   */
  apply(desired: RuleSet, beforeWrite?: (write: PlannedWrite) => Promise<void>): Promise<ApplyResult>;
  /** Where `desired` and the kernel differ, writing nothing. `depth` "Headers" skips the entries of sets (cheap polling). */
  verify(desired: RuleSet, depth: "Full" | "Headers"): Promise<readonly string[]>;
  /**
   * Where connections get past our hooks, as the latest `apply` or `verify` read it. `apply` brings a hook back to the head
   * once; where somebody takes the place again it is left, and stands here.
   */
  evasions(): readonly HookEvasion[];
  /** Makes conntrack see traffic (a no-op ctstate rule) without judging any. Idempotent; the next `apply` removes it. */
  prime(): Promise<void>;
  /** Removes all that is ours and puts the original sysctls back, as far as it can; then throws if some of it failed. Idempotent. */
  clear(): Promise<void>;
  counters(): Promise<readonly RuleCounter[]>;
  /**
   * The hashlimit tables of these names, in both families; one that no rule of a family speaks of is left out. Reads all
   * that a table holds, so not for every pass.
   */
  limitSources(tables: readonly string[]): Promise<readonly LimitSources[]>;
  /** The entries of these sets of ours; one that is not there is left out. */
  setEntries(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Addresses, listeners and routes of the moment. */
  network(): Promise<NodeNetwork>;
  /** Hands over every connection that conntrack knows and that can still carry data; both families, in no order. */
  connections(visit: (connection: TrackedConnection) => void): Promise<void>;
  /** The `most` addresses with most packets of each of these sets, which rules fill, the highest count first. */
  topAddresses(sets: readonly string[], most: number): Promise<ReadonlyMap<string, readonly AddressCount[]>>;
  /** What these sets remember of who was dropped; they are empty from then on. */
  takeDropped(sets: readonly string[]): Promise<ReadonlyMap<string, readonly DroppedPeer[]>>;
  /** The measured values of these sysctls, as the kernel prints them; undefined where there is no such key. */
  sysctls(keys: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
  listeningPorts(): Promise<readonly ListeningPort[]>;
  /** Lines that give settings which we persist another value at the next boot, until the agent has started. */
  sysctlOverrides(settings: readonly SysctlSetting[]): Promise<readonly SysctlOverride[]>;
  /** Why settings are not kept over a reboot: the file could not be written. That fails no apply. */
  persistObstacle(): string | undefined;
  /**
   * Calls `onDrift` when somebody else changes our tables, until `signal` aborts. Events that our own writes caused
   * are left out. Restarts its monitor by itself with backoff; each time that it has begun to listen, the first too, it
   * calls `onDrift` with `by` undefined: what happened before is not known. Resolves when it has ended; throws
   * ToolMissingError where nft is not installed.
   */
  watch(signal: AbortSignal, onDrift: (event: DriftEvent) => void): Promise<void>;
}
