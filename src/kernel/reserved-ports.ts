/** Arithmetic on the value of `net.ipv4.ip_local_reserved_ports`: `50000,50100-50110`, empty for none. */

export function parsePorts(value: string): Set<number> {
  const ports = new Set<number>();
  for (const part of value.split(",").map((text) => text.trim())) {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    for (let port = Number(from); port <= Number(to); port++) ports.add(port);
  }
  return ports;
}

export function without(ports: ReadonlySet<number>, others: ReadonlySet<number>): number[] {
  return [...ports].filter((port) => !others.has(port));
}

/** As the kernel prints it: ascending, each port once, neighbours joined. */
export function printPorts(ports: Iterable<number>): string {
  const ranges: { from: number; to: number }[] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === port - 1) last.to = port;
    else ranges.push({ from: port, to: port });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}
