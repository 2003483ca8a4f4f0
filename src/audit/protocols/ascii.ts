/** How much of a server's words goes into evidence. */
const MAXIMUM_LENGTH = 80;

/** The bytes as text in which one byte is one character, for protocols whose words are ASCII. */
export function asText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

export function asBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** One line that may stand in a status. */
export function asciiLine(text: string, maximumLength = MAXIMUM_LENGTH): string {
  const clean = text.trim().replaceAll(/[^\x20-\x7e]+/g, ".");
  return clean.length <= maximumLength ? clean : `${clean.slice(0, maximumLength - 3)}...`;
}

/**
 * The first bytes of a server that nobody recognised. What looks like a key, a token or a long number is left out: it may be
 * a secret, and evidence goes into statuses and reports.
 */
export function firstWords(bytes: Uint8Array): string {
  return asciiLine(asText(bytes.subarray(0, 64)).replaceAll(/[A-Za-z0-9+/=_-]{12,}/g, "***"), 40);
}
