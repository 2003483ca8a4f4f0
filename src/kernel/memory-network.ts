/** The node's side of the network, for the node in memory. */
export interface MemoryNetwork {
  /** Lines of `conntrack -L`. */
  connections: { 4: readonly string[]; 6: readonly string[] };
  addresses: readonly string[];
  /** TCP ports. */
  listening: readonly number[];
  /** The one interface, with a default route. */
  readonly device: string;
  answer(command: string, args: readonly string[]): string;
}

export function memoryNetwork(): MemoryNetwork {
  const network: MemoryNetwork = {
    connections: { 4: [], 6: [] },
    addresses: ["198.18.0.11", "2001:db8:18::11"],
    listening: [],
    device: "eth0",
    answer(command, args) {
      const { connections, addresses, listening, device } = network;
      if (command === "conntrack") return connections[args.includes("ipv6") ? 6 : 4].join("\n");
      if (command === "ss") return listening.map((port) => `LISTEN 0 4096 *:${port} *:*`).join("\n");
      if (args.includes("route")) return JSON.stringify([{ dst: "default", dev: device, metric: 100 }]);
      return JSON.stringify([{ ifname: device, addr_info: addresses.map((local) => ({ local })) }]);
    },
  };
  return network;
}
