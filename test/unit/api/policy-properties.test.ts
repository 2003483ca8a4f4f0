import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../../src/api/parse.ts";
import type { PortHardeningPolicy } from "../../../src/api/policy.ts";
import { type Port, portBounds } from "../../../src/api/ports.ts";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { arbitraryPolicy } from "./arbitrary-policy.ts";

function parsed(object: unknown): PortHardeningPolicy | undefined {
  try {
    return parsePolicy(object);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

function portsOf({ spec: { ephemeralPorts, firewall, rateLimits = [] } }: PortHardeningPolicy): readonly Port[] {
  const { ports = [], allow = [], deny = [] } = firewall?.inbound ?? {};
  const lists = [ports, ephemeralPorts?.reserved, ...[...allow, ...deny, ...rateLimits].map((entry) => entry.ports)];
  return lists.flatMap((list) => list ?? []);
}

/** Checks `holds` on every generated policy that is accepted, and that these are not too few to mean something. */
function forAccepted(holds: (policy: PortHardeningPolicy) => void): void {
  const runs = { all: 0, accepted: 0 };
  fc.assert(
    fc.property(arbitraryPolicy, (object) => {
      runs.all += 1;
      const policy = parsed(object);
      if (policy === undefined) return;
      runs.accepted += 1;
      holds(policy);
    }),
    { numRuns: 500 },
  );
  expect(runs.accepted).toBeGreaterThan(runs.all / 10);
}

describe("a policy that is accepted", () => {
  it("has ports that the kernel has, lower one first", () => {
    forAccepted((policy) => {
      for (const { from, to } of portsOf(policy).map(portBounds)) {
        expect(from).toBeGreaterThanOrEqual(1);
        expect(to).toBeLessThanOrEqual(65535);
        expect(from).toBeLessThanOrEqual(to);
      }
    });
  });

  it("leaves at least 1024 local ports", () => {
    forAccepted(({ spec: { ephemeralPorts } }) => {
      if (ephemeralPorts?.range === undefined) return;
      const { from, to } = portBounds(ephemeralPorts.range);
      const reserved = (ephemeralPorts.reserved ?? []).map(portBounds);
      let free = 0;
      for (let port = from; port <= to; port++) if (!reserved.some((it) => it.from <= port && port <= it.to)) free++;
      expect(free).toBeGreaterThanOrEqual(1024);
    });
  });

  it("judges every port and protocol that an entry names", () => {
    forAccepted(({ spec: { firewall } }) => {
      const { ports = [], protocols = [], allow = [], deny = [] } = firewall?.inbound ?? {};
      const judged = (port: number) => ports.map(portBounds).some(({ from, to }) => from <= port && port <= to);
      for (const entry of [...allow, ...deny]) {
        for (const { from, to } of (entry.ports ?? []).map(portBounds)) expect([from, to].every(judged)).toBe(true);
        expect(protocols).toEqual(expect.arrayContaining([...(entry.protocols ?? [])]));
      }
    });
  });

  it("stays the same when parsed again", () => {
    forAccepted((policy) => expect(parsePolicy(policy)).toEqual(policy));
  });
});
