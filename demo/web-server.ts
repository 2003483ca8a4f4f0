/** HTTP without TLS on every address, as somebody leaves it running; the argument is its port. */
import { createServer } from "node:http";

const port = Number(process.argv[2]);
process.title = "web-server";
createServer((_, response) => response.end("hello\n")).listen(port, () => process.stdout.write("listening\n"));
