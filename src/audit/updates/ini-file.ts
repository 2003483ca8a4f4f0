/** Sections of an INI file as dnf reads them; keys and sections as written, comments by `#` and `;`, the last value wins. */
export function parseIniFile(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      current = sections.get(section) ?? new Map();
      sections.set(section, current);
    } else if (current !== undefined && /^[^#;=]+=/.test(line)) {
      const at = line.indexOf("=");
      current.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    }
  }
  return sections;
}

/** dnf's words for yes. */
export function isYes(value: string | undefined): boolean {
  return /^(?:1|yes|true|on)$/i.test(value ?? "");
}
