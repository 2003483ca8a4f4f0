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
