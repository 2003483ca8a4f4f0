import { expect, it } from "vitest";
import { checkConntrack } from "../../../../src/audit/connections/check-conntrack.ts";
import { checkLocalPorts } from "../../../../src/audit/connections/check-local-ports.ts";
import { summariseConnections } from "../../../../src/audit/connections/summary.ts";
import type { Connection } from "../../../../src/audit/sockets.ts";
import { type Recorded, recordedSubject, tcp } from "../subject.ts";

const sysctl = (key: string) => `/proc/sys/net/ipv4/${key}`;
/** Ports 50000 to 50099, of which 20 are reserved: 80 are left. */
const range = {
  files: {
    [sysctl("ip_local_port_range")]: "50000\t50099\n",
    [sysctl("ip_local_reserved_ports")]: "40000,50090-50109,50000-50009\n",
  },
};

function connection(localPort: number, remote: string, state: Connection["state"] = "Established"): Connection {
  const [address = "", port] = remote.split(" ");
  return { local: { address: "192.0.2.1", port: localPort }, remote: { address, port: Number(port) }, state };
}

const outbound = (count: number, remote: string, state?: Connection["state"]) =>
  Array.from({ length: count }, (_, index) => connection(50_010 + index, remote, state));

async function localPorts(connections: readonly Connection[], more: Recorded = {}) {
  return checkLocalPorts(recordedSubject({ hosts: [range], connections, ...more }));
}

it.each([
  [59, []],
  [60, ["medium"]],
  [71, ["medium"]],
  [72, ["high"]],
])("judges %i of 80 local ports towards one remote: %j", async (count, severities) => {
  const result = await localPorts(outbound(count, "198.51.100.7 443"));
  expect(result).toMatchObject({ status: "Checked", examined: count });
  expect("findings" in result && result.findings.map(({ severity }) => severity)).toEqual(severities);
});

it("names the remote and counts what waits after its end", async () => {
  const waiting = outbound(70, "2001:db8::7 443", "TimeWait");
  expect(await localPorts([...waiting, connection(50_085, "2001:db8::7 443")])).toMatchObject({
    findings: [
      {
        id: "connections.local-ports-near-exhaustion",
        subject: "to [2001:db8::7]:443",
        evidence: "71 of the 80 local ports of 50000-50099 are in use, 70 of them in TIME_WAIT",
      },
    ],
  });
});

it("gives each remote a range of its own, and counts a port once", async () => {
  const several = ["198.51.100.7 443", "198.51.100.7 80", "198.51.100.8 443"].flatMap((it) => outbound(40, it));
  const clients = Array.from({ length: 500 }, (_, index) => connection(50_080, `203.0.113.9 ${2000 + index}`));
  expect(await localPorts([...several, ...clients, ...outbound(40, "198.51.100.7 443")])).toMatchObject({
    findings: [],
  });
});

it("does not walk over connections that cannot be enough", async () => {
  const files = {
    "/proc/net/sockstat": "sockets: used 90\nTCP: inuse 30 orphan 0 tw 9 alloc 40 mem 5\nUDP: inuse 3 mem 2\n",
    "/proc/net/sockstat6": "TCP6: inuse 20\nUDP6: inuse 1\n",
  };
  const walked = outbound(80, "198.51.100.7 443");
  expect(await localPorts(walked, { hosts: [range, { files }] })).toEqual({
    status: "Checked",
    examined: 59,
    findings: [],
  });
  const more = { ...files, "/proc/net/sockstat6": "TCP6: inuse 21\n" };
  expect(await localPorts(walked, { hosts: [range, { files: more }] })).toMatchObject({
    findings: [{ severity: "high" }],
  });
});

it("does not pass where the kernel does not tell", async () => {
  expect(await localPorts([], { hosts: [] })).toMatchObject({ status: "NotChecked" });
  expect(await checkConntrack(recordedSubject({}))).toMatchObject({ status: "NotChecked" });
});

it.each([
  [196_607, 262_144, []],
  [196_608, 262_144, ["medium"]],
  [240_000, 262_144, ["high"]],
  // No bound.
  [5, 0, []],
])("judges %i of %i tracked connections: %j", async (count, max, severities) => {
  const at = "/proc/sys/net/netfilter/nf_conntrack";
  const files = { [`${at}_count`]: `${count}\n`, [`${at}_max`]: `${max}\n` };
  const result = await checkConntrack(recordedSubject({ hosts: [{ files }] }));
  expect("findings" in result && result.findings.map(({ severity }) => severity)).toEqual(severities);
});

it("sums established connections up by remote and port of the service", () => {
  const inbound = Array.from({ length: 3 }, (_, index) => connection(8443, `203.0.113.9 ${40_000 + index}`));
  const all = [
    ...inbound,
    ...outbound(2, "198.51.100.7 443"),
    connection(50_080, "198.51.100.7 443", "TimeWait"),
    connection(50_081, "198.51.100.7 443", "Closing"),
  ];
  expect(summariseConnections(all, [tcp(8443, 1)])).toEqual({
    established: 5,
    timeWait: 1,
    top: [
      { direction: "Inbound", remote: "203.0.113.9", port: 8443, count: 3 },
      { direction: "Outbound", remote: "198.51.100.7", port: 443, count: 2 },
    ],
    more: 0,
  });
});

it("names twenty remotes and says how many more there are", () => {
  const all = Array.from({ length: 25 }, (_, index) => connection(50_010, `198.51.100.${index} 443`));
  const { top, more } = summariseConnections([...all, connection(50_011, "198.51.100.24 443")], []);
  expect({ top: top.length, first: top[0]?.remote, more }).toEqual({ top: 20, first: "198.51.100.24", more: 5 });
});
