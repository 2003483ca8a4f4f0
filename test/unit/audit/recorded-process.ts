import type { RecordedHost } from "./recorded-host.ts";

export interface ProcessSpec {
  readonly pid: number;
  readonly name: string;
  readonly executable?: string;
  readonly uid?: number;
  readonly cgroup?: string;
  /** Inodes of the sockets that it holds. */
  readonly sockets?: readonly number[];
  /** Inode of its network namespace; the audit's own is 1. */
  readonly network?: number;
  readonly startTicks?: number;
  /** What it reads from attr/current, as the kernel writes it. */
  readonly label?: string;
  /** The same from AppArmor's own folder. */
  readonly apparmor?: string;
}

/** The part of /proc that a process shows. */
export function recordedProcess(spec: ProcessSpec): RecordedHost {
  const {
    pid,
    name,
    uid = 0,
    cgroup = `0::/system.slice/${name}.service`,
    sockets = [],
    network = 1,
    startTicks = 4200,
  } = spec;
  const at = (path: string) => `/proc/${pid}/${path}`;
  const descriptors = sockets.map((inode, index): [string, string] => [at(`fd/${index + 3}`), `socket:[${inode}]`]);
  return {
    files: {
      [at("status")]: `Name:\t${name}\nUmask:\t0022\nPid:\t${pid}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`,
      [at("cgroup")]: `${cgroup}\n`,
      [at("stat")]: `${pid} (${name}) S 1 ${"0 ".repeat(17)}${startTicks} 0\n`,
      ...(spec.label !== undefined && { [at("attr/current")]: spec.label }),
      ...(spec.apparmor !== undefined && { [at("attr/apparmor/current")]: spec.apparmor }),
    },
    links: {
      [at("exe")]: spec.executable ?? `/usr/sbin/${name}`,
      [at("ns/net")]: `net:[${network}]`,
      [at("fd/0")]: "/dev/null",
      ...Object.fromEntries(descriptors),
    },
  };
}

/** The audit's own network namespace. */
export const ownNetwork: RecordedHost = { files: {}, links: { "/proc/self/ns/net": "net:[1]" } };
