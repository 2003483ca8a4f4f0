/** What checks may ask a host. `kernel/` implements it; tests give recorded trees. Nothing here changes anything. */
export interface HostView {
  /** A file of the host (also below /proc and /sys); undefined where there is none. Throws where it may not be read. */
  readFile(path: string): Promise<string | undefined>;
  /** Names in a folder, in no order; undefined where there is none. */
  readFolder(path: string): Promise<readonly string[] | undefined>;
  /** Where a symbolic link leads, as text; undefined where there is none. */
  readLink(path: string): Promise<string | undefined>;
  /** When a file was last written, in ms since 1970; undefined where there is none. */
  modifiedAt(path: string): Promise<number | undefined>;
  /** Whose file it is, links followed, and whether its group or everybody may write it; undefined where there is none. */
  ownership(path: string): Promise<{ readonly uid: number; readonly writableByOthers: boolean } | undefined>;
  /**
   * Runs one of the host's own tools, which only reads, in the host's mounts, without a shell, LC_ALL=C.
   * Resolves whatever the exit code is. Undefined where the host has no such tool; throws after `timeoutMilliseconds`.
   */
  run(
    tool: string,
    args: readonly string[],
    options: { readonly timeoutMilliseconds: number },
  ): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string } | undefined>;
}
