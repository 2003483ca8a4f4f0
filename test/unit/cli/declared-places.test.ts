import { describe, expect, it } from "vitest";
import { podPlaces, servicePlaces } from "../../../src/cli/declared-places.ts";
import type { Place } from "../../../src/preview/types.ts";

const short = (places: readonly Place[] | undefined) =>
  places?.map(({ kind, protocol, address, port, name }) => [kind, protocol, address, port, name].join(" "));

const object = (kind: string, spec: object, status: object = {}) => {
  return { apiVersion: "v1", kind, metadata: { name: "web", namespace: "shop" }, spec, status };
};

describe("a Service", () => {
  it("is reached on its NodePorts, its load balancer's address, external IPs, and by health checks", () => {
    const service = object(
      "Service",
      {
        type: "LoadBalancer",
        clusterIPs: ["10.96.0.7"],
        externalIPs: ["203.0.113.80"],
        healthCheckNodePort: 31000,
        ports: [
          { port: 443, nodePort: 30443, protocol: "TCP" },
          { port: 53, nodePort: 30053, protocol: "UDP" },
        ],
      },
      {
        loadBalancer: {
          ingress: [{ ip: "192.0.2.80" }, { ip: "192.0.2.81", ipMode: "Proxy" }, { hostname: "lb.example" }],
        },
      },
    );
    expect(short(servicePlaces(service))).toEqual([
      "NodePort TCP :: 30443 shop/web",
      "LoadBalancer TCP 192.0.2.80 443 shop/web",
      "ExternalIP TCP 203.0.113.80 443 shop/web",
      "NodePort UDP :: 30053 shop/web",
      "LoadBalancer UDP 192.0.2.80 53 shop/web",
      "ExternalIP UDP 203.0.113.80 53 shop/web",
      "HealthCheck TCP :: 31000 shop/web",
    ]);
  });

  it("names whom it lets in by its load balancer's address, and by that alone", () => {
    const service = (ranges: readonly string[]) =>
      object(
        "Service",
        { type: "LoadBalancer", loadBalancerSourceRanges: ranges, ports: [{ port: 443, nodePort: 30443 }] },
        { loadBalancer: { ingress: [{ ip: "192.0.2.80" }] } },
      );
    const sources = (ranges: readonly string[]) => servicePlaces(service(ranges)).map((one) => [one.kind, one.sources]);
    expect(sources(["203.0.113.0/24", " 2001:db8::/32"])).toEqual([
      ["NodePort", undefined],
      ["LoadBalancer", ["203.0.113.0/24", "2001:db8::/32"]],
    ]);
    expect(sources(["somewhere"])).toEqual([
      ["NodePort", undefined],
      ["LoadBalancer", undefined],
    ]);
  });

  it("of type ClusterIP is the cluster's alone", () => {
    expect(servicePlaces(object("Service", { clusterIPs: ["10.96.0.7"], ports: [{ port: 443 }] }))).toEqual([]);
  });
});

describe("a pod", () => {
  const ports = [{ containerPort: 8080, hostPort: 80 }, { containerPort: 9090 }];
  it("is reached on its hostPorts", () => {
    const pod = object("Pod", { nodeName: "node1", containers: [{ ports }] });
    expect(podPlaces(pod)?.node).toBe("node1");
    expect(short(podPlaces(pod)?.places)).toEqual(["HostPort TCP :: 80 shop/web"]);
  });

  it("in the node's network is reached on all ports that it names, also of containers that stay beside", () => {
    const more = [
      {
        ports: [
          { containerPort: 9999, protocol: "UDP" },
          { containerPort: 1, hostIP: "127.0.0.1" },
        ],
      },
    ];
    const pod = object("Pod", { nodeName: "node1", hostNetwork: true, containers: [{ ports }], initContainers: more });
    expect(short(podPlaces(pod)?.places)).toEqual([
      "HostNetwork TCP :: 80 shop/web",
      "HostNetwork TCP :: 9090 shop/web",
      "HostNetwork UDP :: 9999 shop/web",
    ]);
  });

  it("that has ended, or has no node yet, is reached nowhere", () => {
    expect(podPlaces(object("Pod", { containers: [{ ports }] }))).toBeUndefined();
    expect(
      podPlaces(object("Pod", { nodeName: "node1", containers: [{ ports }] }, { phase: "Failed" })),
    ).toBeUndefined();
  });
});
