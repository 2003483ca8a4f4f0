import { bad, type Sample } from "./sample.ts";

/** What agents and controller write: through the status subresource, so apart from the other objects. */
export const node = (status: object) => ({ kind: "PortHardeningNodeState", status });
export const policy = (status: object) => ({ kind: "PortHardeningPolicy", status });

export const AT = "2026-11-23T03:00:00Z";
/** The largest count. */
export const MANY = 2_147_483_647;
export const findings = { critical: 0, high: 1, medium: 2, low: 0, info: MANY };
export const text = (size: number) => "t".repeat(size);

/** Text one character beyond its bound. */
export function long(name: string, object: unknown, field: string, max: number): Sample {
  const says = `at most ${max} characters`;
  return bad(`${name} of ${max + 1} characters`, object, field, says, `may not be more than ${max} bytes`);
}
