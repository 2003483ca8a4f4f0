import type { NetworkNamespace } from "../../lab/network-namespace.ts";

/** Runs programs in all namespaces of a process: they see its files and its neighbours, and its neighbours see them. */
export function allNamespacesOf(pid: number, host: NetworkNamespace): NetworkNamespace {
  const enter = (file: string, args: readonly string[]) =>
    ["nsenter", ["-t", `${pid}`, "-m", "-u", "-i", "-n", "-p", "--", file, ...args]] as const;
  // A process enters another process namespace by way of a child; nsenter stays its parent, and passes no signal on.
  const withParent = ["--pdeathsig", "KILL", "--"];
  return {
    namespace: host.namespace,
    folder: host.folder,
    exec: (file, args, options) => host.exec(...enter(file, args), options),
    tryExec: (file, args, options) => host.tryExec(...enter(file, args), options),
    spawn: (name, file, args, options) =>
      host.spawn(name, ...enter("setpriv", [...withParent, file, ...args]), options),
  };
}
