import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const tree = join(import.meta.dirname, "../../..");
const POLICY = `
apiVersion: porthardening.io/v1alpha1
kind: PortHardeningPolicy
metadata: {name: workers}
spec:
  mode: Enforce
  ephemeralPorts: {range: "49152-65535", reserved: [50000]}
  firewall: {inbound: {allow: [{name: office, from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}}
`;

let folder: string;
let good: string;
let bad: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "commands-"));
  good = join(folder, "good.yaml");
  bad = join(folder, "bad.yaml");
  await writeFile(good, POLICY);
  await writeFile(bad, `${POLICY.replace("Enforce", "Enforced")}---\nx: [\n`);
});
afterAll(() => rm(folder, { recursive: true }));

/** The program as a user runs it. */
async function run(args: readonly string[], input = "") {
  const main = join(tree, "src/main.ts");
  const { stdout, stderr, exitCode } = await execa(process.execPath, [main, ...args], { input, reject: false });
  return { stdout, stderr, exitCode };
}

describe("porthardening lint", () => {
  it("ends with 0 where there are no errors", async () => {
    expect(await run(["lint", "-f", good])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^1 policy and 0 address groups valid; 0 errors, 0 warnings/),
    });
  });

  it("names every problem with file and line and ends with 1", async () => {
    const missing = join(folder, "missing.yaml");
    const { stdout, exitCode } = await run(["lint", "-f", bad, missing]);
    expect(exitCode).toBe(1);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/bad.yaml:1[01]: error: /);
    expect(lines[1]).toBe(`${missing}: error: cannot be read: there is no such file`);
    expect(lines[2]).toMatch(
      /bad.yaml:6: error: PortHardeningPolicy workers: spec.mode: must be Enforce or Observe, not "Enforced"/,
    );
    expect(lines[3]).toMatch(/3 errors, 0 warnings$/);
  });
});

describe("porthardening render", () => {
  it("prints rules of both families, sets and sysctls of what stdin holds, and says what pods get", async () => {
    const { stdout, stderr } = await run(["render", "-f", "-"], POLICY.replace("reserved:", "pods: Inject, reserved:"));
    expect(stderr).toContain("note: new pods get net.ipv4.ip_local_port_range = 49152 65535 (policy workers)");
    expect(stdout.match(/^(\*mangle|COMMIT)$/gm)).toEqual(["*mangle", "COMMIT", "*mangle", "COMMIT"]);
    expect(stdout).toMatch(/^add ph-4-\S+ 203.0.113.0\/24$/m);
    expect(stdout).toMatch(/^net.ipv4.ip_local_reserved_ports = 50000 {3}# added to what is there$/m);
  });

  it("takes Nodes among the objects: for peers, and for the labels of the node that is asked about", async () => {
    const node = (name: string, role: string, address: string) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { role } },
      status: { addresses: [{ type: "InternalIP", address }] },
    });
    const nodes = {
      apiVersion: "v1",
      kind: "NodeList",
      items: [node("a", "web", "198.18.0.1"), node("b", "m", "198.18.0.2")],
    };
    const selective = POLICY.replace("spec:", "spec:\n  nodeSelector: {matchLabels: {role: web}}").replace(
      "{ipBlock: {cidr: 203.0.113.0/24}}",
      "{nodes: {matchLabels: {role: m}}}",
    );
    const input = `${selective}---\n${JSON.stringify(nodes)}`;
    const { stdout } = await run(["render", "-f", "-", "--node", "a"], input);
    expect(stdout).toMatch(/^add ph-4-[0-9a-f]{12} 198.18.0.2$/m);
    expect(await run(["render", "-f", "-", "--node", "b"], input)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/does not select node b with labels role=m/),
    });
  });

  it("prints JSON", async () => {
    const { stdout } = await run(["render", "-f", good, "--json"]);
    expect(Object.keys(JSON.parse(stdout))).toEqual(["tables", "sets", "sysctls"]);
  });

  it("works nothing out of objects that are not valid", async () => {
    const { stdout, stderr, exitCode } = await run(["render", "-f", bad]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toMatch(/not all objects are valid:\n.*bad.yaml/);
  });
});

describe("porthardening explain", () => {
  it("says what becomes of a packet, also as JSON", async () => {
    const packet = "tcp 198.51.100.9 -> :8443 in eth0";
    expect((await run(["explain", "-f", good, packet])).stdout).toMatch(/^dropped: policy workers judges this port/);
    const { verdict, decidedBy } = JSON.parse((await run(["explain", "-f", good, packet, "--json"])).stdout);
    expect({ verdict, kind: decidedBy.kind, policy: decidedBy.policy, defaultAction: decidedBy.defaultAction }).toEqual(
      {
        verdict: "Dropped",
        kind: "Default",
        policy: "workers",
        defaultAction: "Drop",
      },
    );
  });

  it("shows how to write a packet that it cannot read", async () => {
    const { stderr, exitCode } = await run(["explain", "-f", good, "from everywhere"]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/write it as 'tcp 203.0.113.9 -> /),
    });
  });
});
