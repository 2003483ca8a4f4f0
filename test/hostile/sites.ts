/** A place in a JSON value: member names and indices from the root. */
export type Path = readonly (string | number)[];

export interface Site {
  readonly path: Path;
  readonly value: unknown;
}

/** Every place in a value, the root first. */
export function sitesOf(value: unknown, path: Path = []): Site[] {
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const key = (name: string) => (Array.isArray(value) ? Number(name) : name);
  return [{ path, value }, ...members.flatMap(([name, member]) => sitesOf(member, [...path, key(name)]))];
}

/** A copy with another value at `path`; undefined takes the place out. */
export function replaceAt(root: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy = Array.isArray(root) ? [...root] : { ...(root as object) };
  const inner = replaceAt(Reflect.get(copy, step), rest, value);
  if (inner === undefined && Array.isArray(copy)) copy.splice(Number(step), 1);
  else if (inner === undefined) Reflect.deleteProperty(copy, step);
  // Also where the member is called __proto__, which an assignment would not make.
  else Object.defineProperty(copy, step, { value: inner, enumerable: true, configurable: true, writable: true });
  return copy;
}

/** `spec.rateLimits[0].name`. */
export function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

/** The field that a path leads to, whatever the index: `spec.rateLimits[].name`. */
export function fieldOf(path: Path): string {
  return pathText(path).replaceAll(/\[\d+\]/g, "[]");
}
