import { describe, expect, it } from "vitest";
import { sshListeners } from "../../../src/agent/ssh-listeners.ts";
import type { ListeningSocket } from "../../../src/audit/sockets.ts";
import { hostView, type RecordedHost } from "../audit/recorded-host.ts";

interface Program {
  readonly pid?: number;
  readonly parent?: number;
  readonly uid?: number;
  readonly exe?: string;
  /** Whose file the program is. */
  readonly owner?: number;
  readonly cgroup?: string;
  readonly port?: number;
  readonly address?: string;
}

const init: Program = { pid: 1, parent: 0, exe: "/usr/lib/systemd/systemd", cgroup: "/init.scope" };
const sshd: Program = { pid: 812, parent: 1, exe: "/usr/sbin/sshd", cgroup: "/system.slice/ssh.service", port: 2222 };

const status = ({ parent = 1, uid = 0 }: Program) =>
  `Name:\tsshd\nPPid:\t${parent}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`;

/** Process 1 and these; each holds the socket of its port, whose inode is 1000 and the pid. */
async function portsOf(programs: readonly Program[], more: Partial<RecordedHost> = {}): Promise<readonly number[]> {
  const all = programs.some(({ pid }) => pid === 1) ? programs : [init, ...programs];
  const files = all.flatMap((one) => [
    [`/proc/${one.pid}/status`, status(one)],
    [`/proc/${one.pid}/cgroup`, `0::${one.cgroup ?? "/user.slice"}\n`],
    [`/proc/${one.pid}/stat`, `${one.pid} (sshd) S 1 ${"0 ".repeat(30)}`],
  ]);
  const links = all.flatMap(({ pid = 0, exe = "" }) => [
    [`/proc/${pid}/exe`, exe],
    [`/proc/${pid}/fd/3`, `socket:[${1000 + pid}]`],
    [`/proc/${pid}/ns/net`, "net:[4026531840]"],
  ]);
  const owners = all.map(({ pid, owner = 0 }) => [`/proc/${pid}/exe`, owner]);
  const host = hostView({
    files: Object.fromEntries(files),
    links: { "/proc/self/ns/net": "net:[4026531840]", ...Object.fromEntries(links) },
    owners: Object.fromEntries(owners),
    ...more,
  });
  const listening = all.flatMap(({ pid = 0, port, address = "0.0.0.0", uid = 0 }): ListeningSocket[] =>
    port === undefined ? [] : [{ protocol: "TCP", address, port, inode: 1000 + pid, uid }],
  );
  const sockets = { listening: async () => listening, connections: async () => [] };
  return (await sshListeners(host, sockets).observe()).map(({ port }) => port);
}

describe("the SSH server's ports", () => {
  it.each([
    ["below 1024", { ...sshd, port: 222 }],
    ["above 1024", { ...sshd, port: 22022 }],
    ["of a server whose program was replaced by an update", { ...sshd, exe: "/usr/sbin/sshd (deleted)" }],
    ["in a store of packages", { ...sshd, exe: "/nix/store/abc-openssh-9.8p1/bin/sshd" }],
    ["of dropbear", { ...sshd, exe: "/usr/sbin/dropbear" }],
  ])("are found %s", async (_, program) => {
    expect(await portsOf([program])).toEqual([program.port]);
  });

  it("are all that it listens on", async () => {
    expect(await portsOf([sshd, { ...sshd, pid: 813, port: 22 }])).toEqual([22, 2222]);
  });

  it.each([
    ["a user's program of that name", { ...sshd, uid: 1000, exe: "/home/mallory/sshd", owner: 1000 }],
    ["the real program, started by a user", { ...sshd, uid: 1000 }],
    ["a user's program that root runs", { ...sshd, exe: "/home/mallory/sshd", owner: 1000 }],
    ["another program that calls itself so", { ...sshd, exe: "/usr/bin/python3.11" }],
    ["what a session of root's forwards", { ...sshd, pid: 900, parent: 812 }],
    ["loopback", { ...sshd, address: "127.0.0.1" }],
    ["a pod on the host's network", { ...sshd, cgroup: `/kubepods.slice/cri-containerd-${"a".repeat(64)}.scope` }],
  ])("are not those of %s", async (_, program) => {
    const server = { ...sshd, port: 22 };
    const others = program.pid === 900 ? [server] : [];
    expect(await portsOf([...others, program])).toEqual(others.map(({ port }) => port));
  });

  it("are those of a node that is a container itself", async () => {
    const cgroup = `/docker/${"b".repeat(64)}`;
    expect(
      await portsOf([
        { ...init, cgroup },
        { ...sshd, cgroup },
      ]),
    ).toEqual([2222]);
  });
});

describe("a socket that systemd holds", () => {
  const listens = { ...init, port: 2222 };
  const show = "systemctl show --property=Listen";

  it("is the SSH server's where systemd says so", async () => {
    const commands = {
      [`${show} ssh.socket`]: { stdout: "Listen=0.0.0.0:2222 (Stream)\nListen=[::]:2222 (Stream)\n" },
    };
    expect(await portsOf([listens], { commands })).toEqual([2222]);
  });

  it("is known under the name that others give to the unit", async () => {
    const commands = {
      [`${show} ssh.socket`]: { stdout: "\n" },
      [`${show} sshd.socket`]: { stdout: "Listen=[::]:2222 (Stream)\n" },
    };
    expect(await portsOf([listens], { commands })).toEqual([2222]);
  });

  it.each([
    ["is another unit's", { stdout: "Listen=[::]:22 (Stream)\n" }],
    ["is of a host without systemctl", undefined],
  ])("is not where it %s", async (_, answer) => {
    expect(await portsOf([listens], answer && { commands: { systemctl: answer } })).toEqual([]);
  });
});
