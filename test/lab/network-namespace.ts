import { join } from "node:path";
import { execa } from "execa";
import { type LabProcess, type SpawnOptions, startLabProcess } from "./lab-process.ts";

export interface ExecOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 30,000. */
  readonly timeoutMilliseconds?: number;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * A named network namespace and the way to run programs in it. Only the network is its own: mounts are the machine's, so
 * give programs folders below `folder` instead of /run, /etc/sysctl.d and the like.
 */
export interface NetworkNamespace {
  /** As `ip netns` knows it. */
  readonly namespace: string;
  /** This namespace's part of the lab's temporary folder. */
  readonly folder: string;
  /** Runs a program to its end. Throws (execa's error, with stderr) where it fails, or takes longer than 30 s; see `tryExec`. */
  exec(file: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** The same, but a non-zero exit code is a result. One that takes too long throws here too. */
  tryExec(file: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Starts a program that lives on; the lab ends it at the latest when it closes. */
  spawn(name: string, file: string, args: readonly string[], options?: SpawnOptions): Promise<LabProcess>;
}

/** A handle on a namespace that exists; `folder` must exist too. */
export function networkNamespace(namespace: string, folder: string): NetworkNamespace {
  const enter = ["--net=" + join("/run/netns", namespace), "--"];
  // iptables-legacy serialises on one lock file a machine; each namespace is a machine of its own.
  const lock = { XTABLES_LOCKFILE: join(folder, "xtables.lock") };

  const run = async (file: string, args: readonly string[], options: ExecOptions, reject: boolean) => {
    const child = execa("nsenter", [...enter, file, ...args], {
      reject,
      stripFinalNewline: false,
      env: { ...lock, ...options.env },
      ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
    });
    const { stdout, stderr, exitCode } = await endWithin(child, {
      milliseconds: options.timeoutMilliseconds ?? 30_000,
      command: [file, ...args].join(" "),
    });
    return { stdout: String(stdout), stderr: String(stderr), exitCode: exitCode ?? -1 };
  };

  return {
    namespace,
    folder,
    exec: (file, args, options = {}) => run(file, args, options, true),
    tryExec: (file, args, options = {}) => run(file, args, options, false),
    spawn: (name, file, args, options = {}) =>
      startLabProcess(["nsenter", ...enter, file, ...args], {
        ...options,
        env: { ...lock, ...options.env },
        name,
        logFile: join(folder, `${name}.log`),
      }),
  };
}

/**
 * Kills the program where it takes longer, and throws. Its output is not waited for then: what it started itself may outlive it and
 * hold that open (a shell's child), until the lab ends.
 */
async function endWithin<T>(
  child: Promise<T> & { kill(signal: "SIGKILL"): boolean },
  { milliseconds, command }: { readonly milliseconds: number; readonly command: string },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`did not end within ${milliseconds} ms: ${command}`));
    }, milliseconds);
  });
  try {
    return await Promise.race([child, late]);
  } finally {
    clearTimeout(timer);
  }
}
