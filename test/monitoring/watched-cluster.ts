import type { Lab } from "../lab/lab.ts";
import { labAddress } from "../lab/lab.ts";
import { agentsReady, type OperatorCluster, served, startOperatorCluster } from "../lab/operator-cluster.ts";
import type { Pod } from "./documented-scrape.ts";

const office = "203.0.113.7";
const stranger = "198.51.100.9";

const policy = (name: string, spec: object) =>
  JSON.stringify({
    apiVersion: "porthardening.io/v1alpha1",
    kind: "PortHardeningPolicy",
    metadata: { name },
    spec,
  });

/** Says something to every metric: an enforced policy with limits and audits, an observed one, and one that fails. */
const policies = [
  policy("edge", {
    mode: "Enforce",
    ephemeralPorts: { range: "49152-65535" },
    firewall: { inbound: { allow: [{ name: "office", from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] } },
    rateLimits: [{ name: "per-source", newConnections: { limit: 100, per: "Second", burst: 100 } }],
    monitoring: { listeners: { expected: [{ port: served.hostUdpPort }] } },
    audit: {},
  }),
  policy("tried", {
    mode: "Observe",
    firewall: { inbound: { allow: [{ name: "strangers", from: [{ ipBlock: { cidr: "198.51.100.0/24" } }] }] } },
  }),
];

/** Controller and agents at work on what the policies ask. */
export async function startWatchedCluster(lab: Lab): Promise<OperatorCluster & { readonly pods: readonly Pod[] }> {
  const cluster = await startOperatorCluster(lab, { workers: 2, sources: [`${office}/24`, `${stranger}/24`] });
  await cluster.startController(["--health-host", labAddress.ipv4, "--health-port", "9472"]);
  await Promise.all(
    cluster.workers.map((worker) => worker.startAgent(["--health-host", worker.ipv4, "--health-port", "9471"])),
  );
  await agentsReady(cluster);
  const outside = await cluster.outside.traffic();
  // From before, so that the policy meets connections that it would refuse.
  for (const { ipv4 } of cluster.workers) await outside.open({ from: stranger, to: ipv4, port: served.hostPort });
  for (const text of policies) await cluster.apply(text);
  await cluster.controlPlane.kubectl(["wait", "--for=condition=Ready", "phpol/edge", "phpol/tried", "--timeout=30s"]);
  await outside.connectAll(
    cluster.workers.flatMap(({ ipv4: to }) => [
      { from: office, to, port: served.hostPort },
      { from: stranger, to, port: served.hostPort },
    ]),
  );
  const pods: Pod[] = [
    { component: "controller", address: labAddress.ipv4, node: "elsewhere" },
    ...cluster.workers.map(({ name, ipv4 }) => ({ component: "agent", address: ipv4, node: name }) as const),
  ];
  return { ...cluster, pods };
}
