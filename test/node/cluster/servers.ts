import { IMAGE_REPOSITORY, IMAGE_TAG } from "./image.ts";

/** Of the pod in the first node's own network. */
export const hostWebPort = 8443;
/** Of the Service that leads there: a port that policies on 1024-65535 do not speak of. */
export const hostWebServicePort = 80;
export const hostWebAddress = "198.19.240.80";
export const nodePort = 30080;
const podPort = 8080;

const QUICK = { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false };
const web = { app: "web" };
const hostWeb = { app: "host-web" };

/** `web`: two pods behind a NodePort. */
export const webObjects: readonly object[] = [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas: 2,
      selector: { matchLabels: web },
      template: { metadata: { labels: web }, spec: { ...QUICK, containers: [server(podPort)] } },
    },
  },
  service("web", { type: "NodePort", selector: web, ports: [{ port: 80, targetPort: podPort, nodePort }] }),
];

/** `host-web`: a pod in the first node's own network, with a ClusterIP. */
export const hostWebObjects: readonly object[] = [
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "host-web", labels: hostWeb },
    spec: { ...QUICK, nodeName: "node1", hostNetwork: true, containers: [server(hostWebPort)] },
  },
  service("host-web", {
    clusterIP: hostWebAddress,
    selector: hostWeb,
    ports: [{ port: hostWebServicePort, targetPort: hostWebPort }],
  }),
];

function service(name: string, spec: object): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

function server(port: number): object {
  return {
    name: "server",
    image: `${IMAGE_REPOSITORY}:${IMAGE_TAG}`,
    imagePullPolicy: "Never",
    command: ["node", "-e", `require("node:http").createServer((_, answer) => answer.end("hello\\n")).listen(${port})`],
    // A machine with much else to do must not take it out of its Service.
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 60 },
  };
}
