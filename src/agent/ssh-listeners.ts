/** On which ports the node's own SSH server listens. What is found is opened to everybody, so a name alone proves nothing. */
import type { HostView } from "../audit/host-view.ts";
import { parseCgroup } from "../audit/listeners/cgroup.ts";
import type { Listener } from "../audit/listeners/listener.ts";
import { listenerWatch } from "../audit/listeners/listener-watch.ts";
import type { Process } from "../audit/listeners/process.ts";
import type { SocketReader } from "../audit/sockets.ts";
import type { FoundFact } from "../plan/found-failsafes.ts";

export interface SshListeners {
  /** Not to be called by two at a time. */
  observe(): Promise<readonly FoundFact[]>;
}

/** File names of the servers, as their packages install them. */
const SERVERS = /\/(?:sshd|dropbear)$/;
/** Of systemd where it listens in the server's place: Debian and Ubuntu, and all others. */
const SOCKET_UNITS = ["ssh.socket", "sshd.socket"];
const SYSTEMCTL = { timeoutMilliseconds: 5_000 };

/**
 * A listener is the SSH server's where its process runs as root, its program is root's own and nobody else may write
 * it, is not in a container, and was not started by the server itself: what a session forwards (`ssh -R`) is its user's.
 * Nobody but root can bring all of that about. A socket that process 1 holds is the server's where systemd says so.
 */
export function sshListeners(host: HostView, sockets: SocketReader): SshListeners {
  const watch = listenerWatch(host, sockets);
  let judged: ReadonlyMap<number, FoundFact | undefined> = new Map();

  async function judge(listener: Listener): Promise<FoundFact | undefined> {
    const { port, process } = listener;
    if (process === undefined) return undefined;
    const evidence = process.pid === 1 ? await socketUnit(host, port) : await serverProgram(host, process);
    return evidence === undefined ? undefined : { kind: "SshListener", port, evidence };
  }

  return {
    async observe() {
      const { all } = await watch.observe();
      const outside = all.filter(({ protocol, address }) => protocol === "TCP" && !/^(?:127\.|::1$)/.test(address));
      const now = new Map<number, FoundFact | undefined>();
      // A socket is judged once: who holds it may change, but only to somebody whom the server hands it to.
      for (const listener of outside) {
        const { inode, process } = listener;
        if (process !== undefined) now.set(inode, judged.has(inode) ? judged.get(inode) : await judge(listener));
      }
      judged = now;
      const facts = [...now.values()].filter((fact) => fact !== undefined);
      return [...new Map(facts.map((fact) => [fact.port, fact])).values()].toSorted((a, b) => a.port - b.port);
    },
  };
}

async function serverProgram(host: HostView, process: Process): Promise<string | undefined> {
  const { pid, uid, executable = "" } = process;
  if (uid !== 0 || !SERVERS.test(executable)) return undefined;
  const owner = await host.ownership(`/proc/${pid}/exe`);
  if (owner?.uid !== 0 || owner.writableByOthers) return undefined;
  const first = parseCgroup((await host.readFile("/proc/1/cgroup")) ?? "");
  if (process.podUid !== first.podUid || process.containerId !== first.containerId) return undefined;
  const parent = /^PPid:\t(\d+)$/m.exec((await host.readFile(`/proc/${pid}/status`)) ?? "")?.[1] ?? "1";
  const starter = Number(parent) <= 1 ? undefined : await host.readLink(`/proc/${parent}/exe`);
  if (starter?.replace(/ \(deleted\)$/, "") === executable) return undefined;
  return `${executable} listens (pid ${pid})`;
}

/** The unit whose socket it is, as systemd says: `Listen=[::]:22 (Stream)`. */
async function socketUnit(host: HostView, port: number): Promise<string | undefined> {
  for (const unit of SOCKET_UNITS) {
    const answer = await host.run("systemctl", ["show", "--property=Listen", unit], SYSTEMCTL);
    const ports = [...(answer?.stdout ?? "").matchAll(/^Listen=.*:(\d+) \(Stream\)$/gm)].map(([, text]) =>
      Number(text),
    );
    if (ports.includes(port)) return `systemd listens for ${unit}`;
  }
  return undefined;
}
