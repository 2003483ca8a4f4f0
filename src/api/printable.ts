/** What a process or a server said must not steer the terminal that shows it, nor break lines: such characters become `?`. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
