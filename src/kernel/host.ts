/** The seam to a node: everything that `kernel/` does to the outside goes through these few methods. */

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMilliseconds: number;
  /** Called with the process id before the process can have done anything that is seen elsewhere. */
  readonly onSpawn?: (pid: number) => void;
}

export interface LineStream {
  readonly pid: number | undefined;
  /** Ends when the signal aborts; throws ToolMissingError, or ToolError when the process ends by itself. */
  readonly lines: AsyncIterable<string>;
}

export interface Host {
  /** Runs a tool without a shell. Throws ToolMissingError, RestoreError (it points at a line of `input`) or ToolError. */
  run(command: string, args: readonly string[], options: RunOptions): Promise<{ readonly stdout: string }>;
  /**
   * Runs a tool to its end and hands each line over as it comes: no more of the output is kept than that takes. Throws as
   * `run` does, and what `onLine` throws.
   */
  readLines(
    command: string,
    args: readonly string[],
    options: Omit<RunOptions, "input">,
    onLine: (line: string) => void,
  ): Promise<void>;
  /** Runs a tool for its lines, until `signal` aborts. */
  spawnLines(command: string, args: readonly string[], signal: AbortSignal): LineStream;
  /** The value without its line end; undefined where there is no such key. Keys are dotted; a dot inside an interface's name is not supported. */
  readSysctl(key: string): Promise<string | undefined>;
  /** Throws SysctlError with the kernel's words. */
  writeSysctl(key: string, value: string): Promise<void>;
  /** Undefined where there is no such file. */
  readFile(path: string): Promise<string | undefined>;
  /** Line by line, until `take` says false; of a file of any size, none of which is kept. Nothing where there is no such file. */
  eachLine(path: string, take: (line: string) => boolean): Promise<void>;
  /** Names of files in a folder; none where there is no such folder. */
  listFolder(path: string): Promise<readonly string[]>;
  /** Lines of a file of any size, none of which is kept; undefined where there is no such file. */
  countLines(path: string): Promise<number | undefined>;
  /** On disk (fsync) under its name when this resolves, or not at all. Makes the folder. */
  writeFileAtomic(path: string, content: string): Promise<void>;
  /** Idempotent; also sweeps what an interrupted write of this file left. */
  remove(path: string): Promise<void>;
}
