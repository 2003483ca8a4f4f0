import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { publishNodePort, publishServiceAddress } from "../lab/destination-nat.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { namespacesOf, processesIn, RUN_VARIABLE, releaseRun, temporaryFolderOf } from "../lab/release-run.ts";
import { waitFor } from "../lab/wait-for.ts";

async function openLab(): Promise<Lab> {
  const lab = await createLab();
  onTestFinished(() => lab.close());
  return lab;
}

/** What a run has outside itself. */
function traces(run: string): string[] {
  const namespaces = namespacesOf(run);
  const processes = namespaces.flatMap(processesIn).map((pid) => `process ${pid}`);
  const folder = temporaryFolderOf(run);
  return [...namespaces, ...processes, ...(existsSync(folder) ? [folder] : [])];
}

/** A process that owns a lab with a node, and the lab's run. */
async function startOwner() {
  const script = join(import.meta.dirname, "hold-lab.ts");
  const owner = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(owner, "exit");
  const end = async (signal: NodeJS.Signals) => {
    owner.kill(signal);
    const [, by] = await ended;
    return by;
  };
  const [line] = await once(createInterface({ input: owner.stdout }), "line", { signal: AbortSignal.timeout(15_000) });
  const run = String(line);
  onTestFinished(async () => {
    await end("SIGKILL");
    releaseRun(run);
  });
  return { run, end };
}

it("carries packets between client, node, pod and service address, in both families", async () => {
  const lab = await openLab();
  const [node, far] = [await lab.node("node1"), await lab.node("node2")];
  const client = await lab.client("client", { sources: ["203.0.113.7/24", "2001:db8:c::7/64"] });
  const [pod, farPod] = [await lab.pod(node), await lab.pod(far)];
  await publishNodePort(node, { port: 30080, to: { address: pod.ipv4, port: 8080 } });
  await publishNodePort(node, { port: 30080, to: { address: pod.ipv6, port: 8080 } });
  await publishNodePort(node, { port: 30053, protocol: "udp", to: { address: pod.ipv4, port: 5353 } });
  await publishServiceAddress(node, "198.19.240.10", { port: 80, to: { address: farPod.ipv4, port: 8080 } });
  await (await node.traffic()).listen("tcp", [9100]);
  await (await node.traffic()).listen("udp", [9100]);
  await (await pod.traffic()).listen("tcp", [8080]);
  await (await pod.traffic()).listen("udp", [5353]);
  await (await farPod.traffic()).listen("tcp", [8080]);

  const fromClient = await (await client.traffic()).connectAll([
    { to: node.ipv4, port: 9100, from: "203.0.113.7", fromPort: 4444 },
    { to: node.ipv6, port: 9100, from: "2001:db8:c::7" },
    { to: node.ipv4, port: 30080 },
    { to: node.ipv6, port: 30080 },
    { to: node.ipv4, port: 9100, protocol: "udp" },
    { to: node.ipv6, port: 9100, protocol: "udp" },
    { to: node.ipv4, port: 30053, protocol: "udp" },
    { to: "198.18.255.255", port: 9100, protocol: "udp", broadcast: true },
    { to: node.ipv4, port: 9999 },
    { to: node.ipv4, port: 9999, protocol: "udp" },
    { to: "198.18.0.99", port: 9100 },
  ]);
  expect(fromClient.map(({ outcome }) => outcome)).toEqual([
    ...Array.from({ length: 8 }, () => "connected"),
    "refused",
    "refused",
    "timeout",
  ]);
  expect(fromClient[0]).toMatchObject({ localAddress: "203.0.113.7", localPort: 4444 });

  const fromNode = await (await node.traffic()).connectAll([
    { to: "198.19.240.10", port: 80 },
    { to: node.ipv4, port: 30080 },
    { to: farPod.ipv6, port: 8080 },
  ]);
  expect(fromNode.map(({ outcome }) => outcome)).toEqual(["connected", "connected", "connected"]);
});

it("tells a connection that flows from one that is cut", async () => {
  const lab = await openLab();
  const node = await lab.node("node1");
  const client = await lab.client("client");
  await (await node.traffic()).listen("tcp", [9100]);
  const connection = await (await client.traffic()).open({ to: node.ipv4, port: 9100 });
  expect(await connection.exchange()).toBe("echoed");

  await node.exec("iptables", ["-w", "-A", "INPUT", "-s", client.ipv4, "-j", "DROP"]);
  expect(await connection.exchange(300)).toBe("silent");
  expect(await (await client.traffic()).connect({ to: node.ipv4, port: 9100 })).toMatchObject({ outcome: "timeout" });

  await node.exec("iptables", ["-w", "-F", "INPUT"]);
  expect(await connection.exchange()).toBe("echoed");
});

it("keeps two labs with the same names and addresses apart", async () => {
  const [one, two] = [await openLab(), await openLab()];
  const [nodeOfOne, nodeOfTwo] = [await one.node("node1"), await two.node("node1")];
  expect(nodeOfOne.ipv4).toBe(nodeOfTwo.ipv4);
  await (await nodeOfOne.traffic()).listen("tcp", [9100]);

  const probe = { to: nodeOfOne.ipv4, port: 9100 };
  expect(await (await (await one.client("client")).traffic()).connect(probe)).toMatchObject({ outcome: "connected" });
  expect(await (await (await two.client("client")).traffic()).connect(probe)).toMatchObject({ outcome: "refused" });

  await one.close();
  expect(await nodeOfTwo.exec("true", [])).toMatchObject({ exitCode: 0 });
});

it("leaves no namespace, process or file when it closes", async () => {
  const lab = await openLab();
  const node = await lab.node("node1");
  await lab.pod(node);
  await node.traffic();
  // Not the lab's child any more, and deaf to SIGTERM.
  await node.exec("sh", ["-c", "trap '' TERM; setsid sleep 600 >/dev/null 2>&1 &"]);
  expect(traces(lab.run).length).toBeGreaterThan(4);

  await lab.close();
  expect(traces(lab.run)).toEqual([]);
  await lab.close();
});

it.each(["SIGINT", "SIGTERM"] as const)("leaves nothing when %s ends its owner", async (signal) => {
  const { run, end } = await startOwner();
  expect(traces(run)).not.toEqual([]);
  expect(await end(signal)).toBe(signal);
  expect(traces(run)).toEqual([]);
});

it("ends what it has running in the machine's own network too", async () => {
  const lab = await openLab();
  const child = spawn("sleep", ["1000"], { env: { ...process.env, [RUN_VARIABLE]: lab.run } });
  const ended = once(child, "exit");
  await once(child, "spawn");
  await lab.close();
  expect(await ended).toEqual([null, "SIGKILL"]);
});

it.each(["exec", "tryExec"] as const)(
  "tells by %s of a program that takes too long, though its child lives on",
  async (exec) => {
    const lab = await openLab();
    const late = lab.root[exec]("sh", ["-c", "sleep 1000 & wait"], { timeoutMilliseconds: 300 });
    await expect(late).rejects.toThrow("did not end within 300 ms: sh -c sleep 1000 & wait");
  },
);

it("sweeps what a killed run left, and spares a live one", async () => {
  const [killed, live] = [await startOwner(), await startOwner()];
  expect(traces(killed.run)).not.toEqual([]);
  await killed.end("SIGKILL");

  await openLab();
  expect(traces(killed.run)).toEqual([]);
  const liveNode = `${live.run}-node1`;
  expect(namespacesOf(live.run)).toContain(liveNode);
  // Its traffic process and the stray one both still run.
  expect(processesIn(liveNode)).toHaveLength(2);
});

it("takes its processes along when its owner is killed", async () => {
  const { run, end } = await startOwner();
  expect(processesIn(`${run}-node1`)).toHaveLength(2);
  await end("SIGKILL");
  await waitFor("all but the stray process to end", () => (processesIn(`${run}-node1`).length < 2 ? true : undefined), {
    timeoutMilliseconds: 30_000,
    lastSeen: () => `processes ${processesIn(`${run}-node1`)}`,
  });
});
