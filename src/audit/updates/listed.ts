/** The most that `evidence` and `remedy` of a finding may hold. */
const MAXIMUM_LENGTH = 200;

/** Evidence that names as many items as fit: `3 packages: apt 2.6.2, curl 8.5.0 and 1 more`. */
export function listed(lead: string, items: readonly string[]): string {
  let text = `${lead}: `;
  for (const [index, item] of items.entries()) {
    const more = items.length - index;
    const addition = `${index === 0 ? "" : ", "}${item}`;
    const rest = more > 1 ? ` and ${more - 1} more` : "";
    if (text.length + addition.length + rest.length > MAXIMUM_LENGTH) {
      return index === 0 ? clipped(lead) : clipped(`${text} and ${more} more`);
    }
    text += addition;
  }
  return clipped(text);
}

/** The first line that says something, as long as evidence may be. */
export function clipped(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length <= MAXIMUM_LENGTH ? line : `${line.slice(0, MAXIMUM_LENGTH - 3)}...`;
}
