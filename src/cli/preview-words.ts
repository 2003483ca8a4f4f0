import type { FlowHit, GapOnNodes, LimitHit, PlaceHit, Reach, Sessions } from "../preview/types.ts";

/** What a preview says, in sentences. */
const NAMED_NODES = 3;

/** `on node1, node2`, or `on 37 nodes (node1, node2, node3, ...)`. */
export function onNodes(nodes: readonly string[]): string {
  if (nodes.length <= NAMED_NODES) return `on ${nodes.join(", ")}`;
  return `on ${nodes.length} nodes (${nodes.slice(0, NAMED_NODES).join(", ")}, ...)`;
}

/** `would cut 14 connections to 9100/tcp (node_exporter) from 10.0.3.7 on 3 nodes: policy web, default action`. */
export function flowWords(hit: FlowHit): string {
  const { effect, certainty, direction, protocol, port, peer, names, connections, atLeast, nodes } = hit;
  const verb = `${certainty === "Depends" ? "may" : "would"} ${effect === "Cut" ? "cut" : "refuse"}`;
  const count = `${atLeast ? "at least " : ""}${connections} ${connections === 1 ? "connection" : "connections"}`;
  const where = `${port}/${protocol.toLowerCase()}${inBrackets(names)}`;
  const ends = direction === "Inbound" ? `to ${where} from ${peer}` : `of the node to ${peer} ${where}`;
  const later = effect === "Refused" ? ", when opened anew (existing: Keep)" : "";
  const doubt = certainty === "Depends" ? ", by which interface it comes is not known" : "";
  return `${verb} ${count} ${ends} ${onNodes(nodes)}${later}${doubt}: ${ruleWords(hit)}`;
}

function ruleWords({ policy, entry }: { readonly policy: string; readonly entry: string }): string {
  return `policy ${policy}, ${entry === "default" ? "default action" : `deny "${entry}"`}`;
}

const REACHES: Readonly<Record<Reach, string>> = {
  Unjudged: "everybody (no policy judges it)",
  Everybody: "everybody",
  Some: "some sources",
  Cluster: "the cluster alone",
  Nobody: "nobody",
};

const CHANGES: Readonly<Record<PlaceHit["change"], string>> = {
  Closed: "would close",
  Narrowed: "would narrow",
  Changed: "would change who reaches",
  Opened: "would open",
};

const KINDS: Readonly<Record<PlaceHit["kind"], string>> = {
  Listener: "",
  NodePort: "NodePort of Service",
  LoadBalancer: "load balancer of Service",
  ExternalIP: "external IP of Service",
  HealthCheck: "load balancer's health check of Service",
  HostPort: "hostPort of pod",
  HostNetwork: "port of hostNetwork pod",
};

/** `would close 30080/tcp (NodePort of Service shop/web) on node1: reached by everybody, then by the cluster alone`. */
export function placeWords(hit: PlaceHit): string {
  const { change, before, after, kind, protocol, address, port, names, sources, interfaces, family, nodes } = hit;
  const place = `${address === undefined ? "" : `${address} `}${port}/${protocol.toLowerCase()}`;
  const version = family === undefined ? "" : ` in IPv${family}`;
  const whose = [KINDS[kind], names.join(", ")].filter((part) => part !== "").join(" ");
  const by = interfaces === undefined ? "" : ` by ${interfaces.map(deviceWords).join(", ")}`;
  const then = change === "Changed" ? "others" : REACHES[after];
  const what = `${place}${version}${whose === "" ? "" : ` (${whose})`}`;
  const of = sources === undefined ? "" : `, of ${sources.join(", ")} that it lets in`;
  return `${CHANGES[change]} ${what} ${onNodes(nodes)}${by}${of}: reached by ${REACHES[before]}, then by ${then}`;
}

function deviceWords(device: string): string {
  return device === "*" ? "every interface that no policy names" : device;
}

/** `2 sessions from 10.0.0.5 to 22/tcp on node1: kept by failsafe ssh`. */
export function sessionWords({ peer, port, sessions, fate, by, nodes }: Sessions): string {
  const fates = { Kept: "kept by", Cut: "cut by", Refused: "refused, when opened anew, by" } as const;
  return `${sessions} ${sessions === 1 ? "session" : "sessions"} from ${peer} to ${port}/tcp ${onNodes(nodes)}: ${fates[fate]} ${by}`;
}

/** What could not be looked at, and what to do about it. */
export function gapWords({ reason, count, nodes }: GapOnNodes): string {
  return `${onNodes(nodes)}: ${GAPS[reason](count ?? 0)}`;
}

/** `10.0.3.7 has 14 connections open on node1, where policy web, limit "concurrent" allows 10 at a time: 4 could not be opened anew`. */
export function limitHitWords(hit: LimitHit): string {
  const { policy, limit, maxConcurrent, source, connections, over, certainty, atLeast, nodes } = hit;
  const may = certainty === "Depends" ? " (if they come by an interface that it names)" : "";
  const open = `${atLeast ? "at least " : ""}${connections} connections open`;
  return `${source} has ${open} ${onNodes(nodes)}, where policy ${policy}, limit "${limit}" allows ${maxConcurrent} at a time${may}: ${over} of them could not be opened anew`;
}

const GAPS: Readonly<Record<GapOnNodes["reason"], (count: number) => string>> = {
  NotReported: () => "no agent has reported, so neither listeners nor connections are known",
  NotAudited: () =>
    "listeners or connections are not known: agents report them where a policy has audit or monitoring (mode Observe will do)",
  ListenersLeftOut: (count) => `${count} listeners are not named in the NodeStates, which hold the first 20 of each`,
  ConnectionsLeftOut: (count) => `${count} connections are not named in the NodeStates, so all counts are at least`,
  OnlyTcpOfTheNode: () =>
    "connections are TCP of the nodes' own processes at the latest audit: those to pods behind NodePorts and hostPorts, and UDP, are not known. On a node, porthardening plan --host sees all",
  UdpNotTracked: () => "conntrack follows nothing here, so flows of UDP and SCTP are not known",
  ProcessesHidden: (count) =>
    `${count} processes could not be looked at, so some listeners have no name: run it as root`,
  PlanUnreadable: (count) =>
    `${count} assigned policies are of a version that this program does not read: nothing is said of them`,
  ServicesNotRead: () => "Services may not be listed with these rights: NodePorts and load balancers are not known",
  PodsNotRead: () => "pods may not be listed with these rights: hostPorts and hostNetwork pods are not known",
  RatesNotJudged: (count) =>
    `${count} limits on new connections: how often sources connect is not seen by looking once. Mode Observe counts it`,
  FailsafesNotReported: () =>
    "which failsafes the node itself shows is reported where a policy is enforced: an SSH server on another port than 22 is taken for any other",
  NoServicesAndPods: () =>
    "Services and pods are not known to a host: porthardening plan --kubeconfig asks the cluster",
};

function inBrackets(names: readonly string[]): string {
  return names.length === 0 ? "" : ` (${names.join(", ")})`;
}
