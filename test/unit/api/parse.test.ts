import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { parseAddressGroup, parseNodeState, parsePolicy } from "../../../src/api/parse.ts";
import { SchemaError } from "../../../src/api/schema-error.ts";
import { addressGroup, inbound, nodeState, policy } from "./objects/sample.ts";

/** As kubectl reads it: YAML 1.1. */
function sample(name: string): unknown {
  const url = new URL(`../../../deploy/samples/${name}.yaml`, import.meta.url);
  return parseYaml(readFileSync(url, "utf8"), { version: "1.1" });
}

describe("parsePolicy", () => {
  it("reads the project's samples", () => {
    expect(parsePolicy(sample("minimal")).spec.ephemeralPorts).toEqual({
      range: "49152-65535",
      persist: true,
      pods: "Ignore",
    });
    const { firewall, monitoring, audit } = parsePolicy(sample("workers")).spec;
    expect(firewall?.inbound?.allow).toHaveLength(2);
    expect(monitoring?.listeners?.expected).toEqual([
      { port: 9100, process: "node_exporter" },
      { port: "30000-32767" },
    ]);
    expect(audit).toMatchObject({ schedule: "0 3 * * *", securityUpdates: { automatic: "Ensure" } });
  });

  it("fills in the defaults that the API server fills in", () => {
    const { spec } = parsePolicy(inbound({}));
    expect(spec).toEqual({
      mode: "Enforce",
      priority: 0,
      firewall: {
        existing: "Keep",
        inbound: { ports: ["1024-65535"], protocols: ["TCP", "UDP"], trustCluster: true, defaultAction: "Drop" },
      },
    });
  });

  it("fills in the levels and the schedule of an audit", () => {
    const { spec } = parsePolicy(policy({ audit: { securityUpdates: {} }, monitoring: { listeners: {} } }));
    expect(spec.audit).toEqual({
      schedule: "0 3 * * *",
      mandatoryAccessControl: "Report",
      securityUpdates: { pending: "Report", automatic: "Report" },
      plaintextProtocols: "Report",
      exposure: "Report",
    });
    expect(spec.monitoring).toEqual({ listeners: { unexpected: "Report" } });
  });

  it("names every problem and the object", () => {
    const parse = () => parsePolicy(policy({ mode: "Block", priority: "7", firewal: {} }, "workers"));
    expect(parse).toThrow(SchemaError);
    expect(parse).toThrow(/^PortHardeningPolicy workers:\n/);
    expect(parse).toThrow(/\n {2}spec\.mode: must be Enforce or Observe, not "Block"/);
    expect(parse).toThrow(/\n {2}spec\.priority: must be a number/);
    expect(parse).toThrow(/\n {2}spec\.firewal: unknown field/);
  });

  it.each([undefined, null, 7, "text", [], {}])("refuses %j with a SchemaError", (object) => {
    expect(() => parsePolicy(object)).toThrow(SchemaError);
  });

  it("refuses another kind and another version", () => {
    expect(() => parsePolicy(addressGroup([]))).toThrow(/kind: must be PortHardeningPolicy/);
    expect(() => parsePolicy({ ...(policy({}) as object), apiVersion: "porthardening.io/v9" })).toThrow(
      /apiVersion: must be/,
    );
  });

  it("reads the status", () => {
    const status = { observedGeneration: 3, nodes: { selected: 3, enforced: 2, failed: 1, unknown: 0 } };
    expect(parsePolicy({ ...(policy({}) as object), status }).status).toEqual(status);
  });

  it("takes a status that it cannot read for none, as its writer replaces it", () => {
    expect(parsePolicy({ ...(policy({}) as object), status: { nodes: "many" } }).status).toBeUndefined();
  });

  it("drops what it does not know of metadata, managedFields above all", () => {
    const metadata = { name: "sample", uid: "6f3c", managedFields: [{ manager: "kubectl" }] };
    expect(parsePolicy({ ...(policy({}) as object), metadata }).metadata).toEqual({ name: "sample", uid: "6f3c" });
  });
});

describe("parseNodeState", () => {
  it("drops fields of later versions and keeps the plan as it is", () => {
    const plan = { format: 2, later: { deep: [1] } };
    const assigned = { name: "a", uid: "u", hash: "00", priority: 0, mode: "Enforce", plan };
    const { spec } = parseNodeState(nodeState([{ ...assigned, wave: 3 }]));
    expect(spec).toEqual({ policies: [assigned] });
  });
});

describe("parseAddressGroup", () => {
  it("reads the project's sample", () => {
    expect(parseAddressGroup(sample("blocklist")).spec.addresses).toHaveLength(3);
  });
});
