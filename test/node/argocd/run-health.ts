import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";

/** gopher-lua, in which Argo CD runs health checks; `sh scripts/setup.sh node` makes it. */
const lua = resolve(import.meta.dirname, "../../../.cache/bin/glua");

export interface Health {
  readonly status: string;
  readonly message: string;
}

/** Libraries that Argo CD does not open (`useOpenLibs` unset): a check that asks for one fails there. */
const CLOSED = ["io", "debug", "coroutine", "channel", "string", "math", "require", "dofile", "loadfile", "loadstring"];

/** What the check says of the object, as Argo CD would run it: the object is the global `obj`. */
export async function runHealth(check: string, object: object): Promise<Health> {
  const folder = await mkdtemp(join(tmpdir(), "port-hardening-lua-"));
  try {
    const file = join(folder, "run.lua");
    const lines = [
      "local print = print",
      'getmetatable("").__index = nil',
      `obj = ${literal(object)}`,
      ...CLOSED.map((name) => `${name} = nil`),
      "local function check()",
      check,
      "end",
      "local health = check()",
      "print(health.status)",
      'print(health.message or "")',
    ];
    await writeFile(file, lines.join("\n"));
    const { stdout } = await execa(lua, [file], { timeout: 60_000 });
    const [status = "", message = ""] = stdout.split("\n");
    return { status, message };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(", ")}}`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, one]) => `[${JSON.stringify(key)}] = ${literal(one)}`);
    return `{${fields.join(", ")}}`;
  }
  return JSON.stringify(value);
}
