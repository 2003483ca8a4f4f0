import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** The first line is the checksum of the rest: a file that is cut or altered anywhere does not have it. */
export function formatChecked(value: unknown): string {
  const body = JSON.stringify(value);
  return `${checksum(body)}\n${body}`;
}

/** Throws where the text was cut or altered. */
export function parseChecked(text: string): unknown {
  const body = text.slice(text.indexOf("\n") + 1);
  if (text !== `${checksum(body)}\n${body}`) throw new Error("its checksum does not match its content");
  return JSON.parse(body);
}

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** Undefined where there is no such file. */
export function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Atomic and durable: after a crash the old content or the new one is there, never a mixture. */
export async function writeDurably(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.tmp`;
  const handle = await open(next, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  // The rename itself is durable only once the directory is (fsync(2)).
  const directory = await open(dirname(file), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
