import { expect, it } from "vitest";
import { listenerWatch } from "../../../../src/audit/listeners/listener-watch.ts";
import type { ListeningSocket } from "../../../../src/audit/sockets.ts";
import { changed, hostView, type RecordedHost } from "../recorded-host.ts";
import { ownNetwork, type ProcessSpec, recordedProcess } from "../recorded-process.ts";
import { tcp } from "../subject.ts";

/** A watch over sockets that a test sets, and the paths that it asked for since it was last looked at. */
function watchOver(processes: readonly ProcessSpec[], more: RecordedHost = { files: {} }) {
  const host = [...processes.map(recordedProcess), more].reduce(changed, ownNetwork);
  let listening: readonly ListeningSocket[] = [];
  let asked: string[] = [];
  const watch = listenerWatch(hostView(host, (asked = [])), {
    listening: async () => listening,
    connections: async () => [],
  });
  return {
    async observe(...sockets: readonly ListeningSocket[]) {
      listening = sockets;
      asked.length = 0;
      const { all, unreadable } = await watch.observe();
      return { names: all.map(({ process }) => process?.name), unreadable, asked: [...asked], all };
    },
  };
}

it("names process, program, user and control group", async () => {
  const { observe } = watchOver([
    { pid: 812, name: "redis-server", executable: "/usr/bin/redis-check-rdb (deleted)", uid: 999, sockets: [40] },
  ]);
  const { all } = await observe(tcp(6379, 40));
  expect(all).toEqual([
    {
      ...tcp(6379, 40),
      process: {
        pid: 812,
        name: "redis-server",
        executable: "/usr/bin/redis-check-rdb",
        uid: 999,
        startTicks: 4200,
        cgroup: "/system.slice/redis-server.service",
      },
    },
  ]);
});

it("names the parent of workers, and the service rather than the systemd that opened its socket", async () => {
  const { observe } = watchOver([
    { pid: 1, name: "systemd", sockets: [41] },
    { pid: 300, name: "sshd", sockets: [41] },
    { pid: 20, name: "nginx", sockets: [40] },
    { pid: 9, name: "parent", sockets: [40] },
    { pid: 1000, name: "worker", sockets: [40] },
  ]);
  expect((await observe(tcp(8080, 40), tcp(2222, 41))).names).toEqual(["parent", "sshd"]);
});

it("looks at other network namespaces only for what its own does not hold", async () => {
  const { observe } = watchOver([
    { pid: 5, name: "pod", network: 2, sockets: [50] },
    { pid: 6, name: "here", sockets: [40] },
  ]);
  const own = await observe(tcp(8080, 40));
  expect(own.names).toEqual(["here"]);
  expect(own.asked).not.toContain("/proc/5/fd");
  expect((await observe(tcp(8080, 40), tcp(8081, 50))).names).toEqual(["here", "pod"]);
});

it("searches for new sockets alone", async () => {
  const { observe } = watchOver([
    { pid: 5, name: "old", sockets: [40] },
    { pid: 6, name: "new", sockets: [41] },
  ]);
  await observe(tcp(8080, 40));
  expect(await observe(tcp(8080, 40))).toMatchObject({ names: ["old"], asked: [] });
  expect((await observe(tcp(8080, 40), tcp(8081, 41))).names).toEqual(["old", "new"]);
  expect((await observe(tcp(8081, 41))).asked).toEqual([]);
});

it("looks twice for a socket that nobody holds, then no more", async () => {
  const { observe } = watchOver([{ pid: 5, name: "other" }]);
  expect((await observe(tcp(51820, 40))).asked).not.toEqual([]);
  expect((await observe(tcp(51820, 40))).asked).not.toEqual([]);
  expect(await observe(tcp(51820, 40))).toMatchObject({ names: [undefined], asked: [] });
});

it("names a UDP socket that comes later when it is seen again, as most are gone by then", async () => {
  const { observe } = watchOver([{ pid: 5, name: "resolver", sockets: [40, 41] }]);
  const udp = (inode: number): ListeningSocket => ({ ...tcp(40_000, inode), protocol: "UDP" });
  expect((await observe(udp(40))).names).toEqual(["resolver"]);
  expect(await observe(udp(40), udp(41))).toMatchObject({ names: ["resolver", undefined], asked: [] });
  expect((await observe(udp(40), udp(41))).names).toEqual(["resolver", "resolver"]);
});

it("counts processes that it may not look at", async () => {
  const { observe } = watchOver([{ pid: 5, name: "mine" }], { files: {}, refused: { "/proc/5/fd": "EACCES" } });
  expect(await observe(tcp(8080, 40))).toMatchObject({ names: [undefined], unreadable: 1 });
});

it("lets no name steer the terminal that shows it", async () => {
  const name = "evil\u001b[2J\u202e";
  const { observe } = watchOver([{ pid: 5, name, executable: `/tmp/${name}`, cgroup: `0::/${name}`, sockets: [40] }]);
  expect((await observe(tcp(8080, 40))).all[0]?.process).toMatchObject({
    name: "evil?[2J?",
    executable: "/tmp/evil?[2J?",
    cgroup: "/evil?[2J?",
  });
});
