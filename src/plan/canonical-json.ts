/** One text per value: object keys sorted by code unit, no white space, absent members left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // A null prototype, so that a key such as `__proto__` stays data.
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, member] of members) copy[key] = sorted(member);
  return copy;
}
