/** Makes a lab with a busy node, prints the run's name and holds it: an owner for lab.test.ts to kill. */
import { createLab } from "../lab/lab.ts";

const lab = await createLab();
const node = await lab.node("node1");
await (await node.traffic()).listen("tcp", [9100]);
// A process that outlives its parent, as a child of a killed agent does.
await node.exec("sh", ["-c", "setsid sleep 600 >/dev/null 2>&1 &"]);
process.stdout.write(`${lab.run}\n`);
setInterval(() => undefined, 60_000);
