/** Names that a process chose itself must not steer the terminal that shows them, nor break lines: such characters become `?`. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
