import { IMAGE_REPOSITORY, IMAGE_TAG } from "./image.ts";

/** Of the pod in the first node's own network. */
export const hostWebPort = 8443;
/** Of the Service that leads there: a port that policies on 1024-65535 do not speak of. */
export const hostWebServicePort = 80;
export const hostWebAddress = "198.19.240.80";
export const nodePort = 30080;
const podPort = 8080;

/** Servers to send packets to: `web` behind a NodePort, and `host-web`, which has a ClusterIP and its node's network. */
export function serverObjects(nodeName: string): readonly object[] {
  const web = { app: "web" };
  const hostWeb = { app: "host-web" };
  return [
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
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "host-web", labels: hostWeb },
      spec: { ...QUICK, nodeName, hostNetwork: true, containers: [server(hostWebPort)] },
    },
    service("host-web", {
      clusterIP: hostWebAddress,
      selector: hostWeb,
      ports: [{ port: hostWebServicePort, targetPort: hostWebPort }],
    }),
  ];
}

const QUICK = { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false };

function service(name: string, spec: object): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

function server(port: number): object {
  return {
    name: "server",
    image: `${IMAGE_REPOSITORY}:${IMAGE_TAG}`,
    imagePullPolicy: "Never",
    command: ["node", "-e", `require("node:http").createServer((_, answer) => answer.end("hello\\n")).listen(${port})`],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
  };
}
