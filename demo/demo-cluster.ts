import type { ControlPlane } from "../test/lab/control-plane.ts";
import type { Host, Node } from "../test/lab/hosts.ts";

export interface DemoNode extends Node {
  /** The node's sysctl.d, as this process finds it. */
  readonly sysctlDirectory: string;
  readonly agentLog: {
    /** All that the node's agent has logged. */
    read(): Promise<string>;
    /** The command by which a person finds a line there. */
    search(pattern: string): string;
  };
  readonly agent: {
    /**
     * Kills it (SIGKILL) as soon as a change is in the kernel and not confirmed. Resolves when it is dead, and says how; nothing
     * starts it anew until `start`. Throws where it has come to an end with the change before.
     */
    killOnceApplied(): Promise<string>;
    start(): Promise<void>;
  };
  readonly guard: {
    /** What it watches over, as this process finds it. */
    readonly folder: string;
    /** All that it has logged. */
    log(): Promise<string>;
    /** The command by which a person reads that. */
    readonly logCommand: string;
  };
}

/** A cluster that the operator can be put to work in: what the scenes of the demo need, whatever its nodes are made of. */
export interface DemoCluster {
  readonly controlPlane: ControlPlane;
  readonly workers: readonly DemoNode[];
  /** Outside the cluster, with all the sources of the demo. */
  readonly outside: Host;
  /** Whether NodePorts answer on IPv6 too. */
  readonly nodePortsOverIpv6: boolean;
  /** Starts the operator, and waits until every agent has spoken. */
  install(): Promise<void>;
  /** Applies YAML with the real kubectl; returns what it printed. */
  apply(yaml: string): Promise<string>;
}
