/** What apt is configured to do: `apt-config dump` in the order of its lines. */
export interface AptConfig {
  /** The value of a scalar, undefined where it is not set. */
  value(key: string): string | undefined;
  /** The values of a list (`key:: "..."`). */
  list(key: string): readonly string[];
}

/** Reads `apt-config dump`: `APT::Periodic::Enable "1";`, list items with `::` behind the key. Names ignore case (apt.conf(5)). */
export function parseAptConfig(text: string): AptConfig {
  const values = new Map<string, string[]>();
  for (const [, key = "", value = ""] of text.matchAll(/^(\S+) "(.*)";$/gm)) {
    const name = key.toLowerCase();
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return {
    value: (key) => values.get(key.toLowerCase())?.at(-1),
    list: (key) => values.get(`${key.toLowerCase()}::`) ?? [],
  };
}
