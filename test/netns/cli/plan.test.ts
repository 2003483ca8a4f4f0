import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stateDirectory } from "../../../src/agent/state-directory.ts";
import type { GroupAddresses } from "../../../src/plan/types.ts";
import { createHostRoot } from "../../lab/host-root.ts";
import type { Node } from "../../lab/hosts.ts";
import { createLab, type Lab } from "../../lab/lab.ts";
import type { Attempt } from "../../lab/traffic/protocol.ts";
import type { OpenConnection, Traffic } from "../../lab/traffic/traffic.ts";
import { connectedNode, serviceGroups, vip } from "../packets/connected-node.ts";
import { cuttingEnforcer } from "../packets/cutting-enforcer.ts";
import { assignedOf, type Enforcer } from "../packets/enforcer.ts";

const main = join(import.meta.dirname, "../../../src/main.ts");
const friend = "203.0.113.7";
const stranger = "198.51.100.9";
const another = "198.51.100.10";
const stranger6 = "2001:db8:51::9";

let lab: Lab;
let node: Node;
let inside: Traffic;
let outside: Traffic;
let enforcer: Enforcer;
let open: OpenConnection[] = [];

beforeAll(async () => {
  lab = await createLab();
  ({ node, inside, outside, enforcer } = await connectedNode(lab, [
    `${friend}/24`,
    `${stranger}/24`,
    `${another}/24`,
    `${stranger6}/64`,
  ]));
  await createHostRoot(join(node.folder, "host"));
}, 60_000);
afterAll(() => lab.close());

const foundFile = () => join(node.folder, "state", "found.json");

beforeEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await enforcer.clear();
  await rm(foundFile(), { force: true });
  await node.exec("conntrack", ["-F"]);
});

const spec = (existing: "Keep" | "Cut", more: object = {}) => ({
  firewall: {
    existing,
    inbound: { allow: [{ name: "friends", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }], ...more },
  },
});

function manifests(policies: Readonly<Record<string, object>>, groups: readonly GroupAddresses[]): string {
  const apiVersion = "porthardening.io/v1alpha1";
  return [
    ...Object.entries(policies).map(([name, one]) => {
      return { apiVersion, kind: "PortHardeningPolicy", metadata: { name }, spec: { mode: "Enforce", ...one } };
    }),
    ...groups.map(({ name, labels, addresses }) => {
      return { apiVersion, kind: "PortHardeningAddressGroup", metadata: { name, labels }, spec: { addresses } };
    }),
  ]
    .map((object) => JSON.stringify(object))
    .join("\n---\n");
}

/** The program as a user runs it on the node. */
async function plan(
  args: readonly string[],
  input = "",
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const folder = (name: string) => join(node.folder, name);
  const own = ["--state-dir", folder("state"), "--sysctl-dir", folder("sysctl.d"), "--host-root", folder("host")];
  return node.tryExec(process.execPath, [main, "plan", "--host", ...own, ...args], { input });
}

async function opened(attempts: readonly Attempt[], from = outside): Promise<OpenConnection[]> {
  const connections = await Promise.all(attempts.map((attempt) => from.open(attempt)));
  open.push(...connections);
  return connections;
}

/** What is cut never answers, so it needs no patience. */
const outcomes = (connections: readonly OpenConnection[], patienceMilliseconds: number) =>
  Promise.all(connections.map((one) => one.exchange(patienceMilliseconds)));

const ways = (): Attempt[] => [
  { from: stranger, to: node.ipv4, port: 8443 },
  { from: stranger, to: node.ipv4, port: 8443, protocol: "udp" },
  { from: stranger, to: node.ipv4, port: 30080 },
  { from: stranger, to: vip, port: 80 },
  { from: stranger6, to: node.ipv6, port: 8443 },
];

/** The program is started several times, on a machine that may have more to do. */
describe("porthardening plan on a host", { timeout: 120_000 }, () => {
  it("says which open connections would be cut, and these are what is cut then", async () => {
    const cut = await opened(ways());
    const kept = await opened([
      { from: friend, to: node.ipv4, port: 8443 },
      { from: stranger, to: node.ipv4, port: 22 },
    ]);
    const own = await opened([{ to: stranger, port: 9443 }], inside);
    const { exitCode, stdout } = await plan(["-f", "-", "--json"], manifests({ web: spec("Cut") }, serviceGroups));
    const { flows, sessions } = JSON.parse(stdout);
    expect(exitCode).toBe(3);
    const short = ({ effect, protocol, port, peer, connections }: Record<string, unknown>) =>
      [effect, protocol, port, peer, connections].join(" ");
    expect(flows.map(short).toSorted()).toEqual(
      [
        // One of them by the service address.
        `Cut TCP 8443 ${stranger} 2`,
        `Cut UDP 8443 ${stranger} 1`,
        `Cut TCP 30080 ${stranger} 1`,
        `Cut TCP 8443 ${stranger6} 1`,
      ].toSorted(),
    );
    expect(
      flows.find(({ port, protocol }: Record<string, unknown>) => port === 8443 && protocol === "TCP").names,
    ).toHaveLength(1);
    expect(sessions).toMatchObject([
      { peer: stranger, port: 22, sessions: 1, fate: "Kept", by: "no policy judges it" },
    ]);

    await cuttingEnforcer(enforcer).enforce({ web: spec("Cut") }, serviceGroups);
    expect(await outcomes(cut, 1_500)).toEqual(ways().map(() => "silent"));
    expect(await outcomes([...kept, ...own], 10_000)).toEqual(["echoed", "echoed", "echoed"]);
  });

  it("says which connections live on and cannot be opened again, and so it is", async () => {
    const living = await opened([{ from: another, to: node.ipv4, port: 8443 }]);
    const { exitCode, stdout } = await plan(["-f", "-"], manifests({ web: spec("Keep") }, serviceGroups));
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(
      new RegExp(
        `would refuse 1 connection to 8443/tcp \\(.+\\) from ${another} on .*, when opened anew .*: policy web, default action`,
      ),
    );
    await cuttingEnforcer(enforcer).enforce({ web: spec("Keep") }, serviceGroups);
    expect(await outcomes(living, 10_000)).toEqual(["echoed"]);
    const again = await outside.connectAll([{ from: another, to: node.ipv4, port: 8443 }]);
    expect(again.map(({ outcome }) => outcome)).toEqual(["timeout"]);
  });

  it("shows SSH sessions kept by the failsafe where a policy judges their port", async () => {
    await opened([{ from: stranger, to: node.ipv4, port: 22 }]);
    const all = spec("Cut", { ports: ["1-65535"] });
    const { stdout } = await plan(["-f", "-"], manifests({ all }, serviceGroups));
    expect(stdout).toMatch(new RegExp(`^ {2}1 session from ${stranger} to 22/tcp on .*: kept by failsafe ssh$`, "m"));
  });

  it("knows the port on which the node's own SSH server was found, and remembers nothing of its own", async () => {
    await opened([{ from: stranger, to: node.ipv4, port: 8443 }]);
    await mkdir(join(node.folder, "state"), { recursive: true });
    const facts = JSON.stringify([{ kind: "SshListener", port: 8443, evidence: "sshd" }]);
    await writeFile(foundFile(), facts);
    const { exitCode, stdout } = await plan(["-f", "-"], manifests({ web: spec("Cut") }, serviceGroups));
    expect(stdout).toMatch(
      new RegExp(`^ {2}\\d sessions? from ${stranger} to 8443/tcp on .*: kept by failsafe found-ssh$`, "m"),
    );
    expect(exitCode).toBe(2);
    expect(await readFile(foundFile(), "utf8")).toBe(facts);
  });

  it("says whose open connections are above a limit, and these many cannot be opened anew", async () => {
    const four = Array.from({ length: 4 }, () => ({ from: friend, to: node.ipv4, port: 8443 }));
    const living = await opened([...four, { from: another, to: node.ipv4, port: 8443 }]);
    const limit = { rateLimits: [{ name: "few", ports: [8443], maxConcurrent: 3 }] };
    const { exitCode, stdout } = await plan(["-f", "-"], manifests({ limit }, serviceGroups));
    expect(stdout.match(/^ {2}.* connections open on .*$/gm)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^ {2}${friend} has 4 connections open on .* allows 3 at a time: 1 of them could not be opened anew$`,
        ),
      ),
    ]);
    expect(exitCode).toBe(3);
    await enforcer.enforce({ limit }, serviceGroups);
    expect(await outcomes(living, 10_000)).toEqual(living.map(() => "echoed"));
    const again = await Promise.allSettled(four.map((one) => outside.open(one, { timeoutMilliseconds: 5_000 })));
    open.push(...again.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
    expect(again.filter(({ status }) => status === "rejected")).toHaveLength(1);
  });

  it("compares with what was applied last, and says where the kernel is not as it was left", async () => {
    const policies = assignedOf({ web: spec("Keep") });
    await stateDirectory(join(node.folder, "state")).save({ policies, groups: serviceGroups });
    const same = manifests({ web: spec("Keep") }, []);
    const drifted = await plan(["-f", "-"], same);
    expect(drifted.exitCode).toBe(0);
    expect(drifted.stdout).toMatch(/the kernel is not as it was left: /);
    await enforcer.enforce({ web: spec("Keep") }, serviceGroups);
    const { exitCode, stdout } = await plan(["-f", "-"], same);
    expect([exitCode, stdout.split("\n").at(-2)]).toEqual([0, "no change on 1 node"]);
    expect(stdout).not.toMatch(/the kernel is not/);

    const deleted = await plan(["--delete", "web"]);
    expect(deleted.exitCode).toBe(2);
    expect(deleted.stdout).toMatch(/^ {2}- policy web$/m);
    expect(deleted.stdout).toMatch(/would open 8443\/tcp .*: reached by some sources, then by everybody/);
    expect(await plan(["--delete", "other"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/policy other is not in force on this host/),
    });
    await stateDirectory(join(node.folder, "state")).forget();
  });

  it("changes nothing", async () => {
    const rules = async () => (await node.exec("nft", ["list", "ruleset"])).stdout;
    const before = await rules();
    await plan(["-f", "-"], manifests({ web: spec("Cut") }, serviceGroups));
    expect(await rules()).toBe(before);
  });
});
