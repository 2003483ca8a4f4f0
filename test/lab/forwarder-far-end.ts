/**
 * The far end of a forwarder: runs inside a namespace, takes connections on a unix socket (which crosses network
 * namespaces) and passes each on to a TCP address there.
 * Arguments: socket path, host, port.
 */
import { createConnection, createServer, type Socket } from "node:net";

const [path, host, port] = process.argv.slice(2);
if (path === undefined || host === undefined || port === undefined) throw new Error("usage: SOCKET HOST PORT");

createServer({ allowHalfOpen: true }, (near) => {
  const far = createConnection({ host, port: Number(port), allowHalfOpen: true });
  join(near, far);
  join(far, near);
}).listen(path, () => process.stderr.write("listening\n"));

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
}
