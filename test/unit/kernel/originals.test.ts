import { expect, it } from "vitest";
import { memoryHost } from "../../../src/kernel/memory-host.ts";
import { originalsFile } from "../../../src/kernel/originals.ts";

const originals = {
  "net.core.somaxconn": { value: "4096" },
  "net.ipv4.ip_local_reserved_ports": { value: "", added: "50000" },
};
const path = "/state/originals.json";

it("is read from its copy where it was cut at any byte, and forgets nothing where both were", async () => {
  const host = memoryHost();
  const file = originalsFile(host, "/state");
  await file.write(originals, {});
  const whole = (await host.readFile(path)) ?? "";
  expect(whole).not.toBe("");
  for (let length = 0; length < whole.length; length += 1) {
    await host.writeFileAtomic(path, whole.slice(0, length));
    expect(await file.read(), `the first ${length} bytes`).toEqual(originals);
  }
  for (let length = 0; length < whole.trimEnd().length; length += 1) {
    for (const one of file.paths) await host.writeFileAtomic(one, whole.slice(0, length));
    await expect(file.read(), `the first ${length} bytes of both`).rejects.toThrow("mend it, or remove it");
  }
});

it("leaves nothing where there is nothing to remember", async () => {
  const host = memoryHost();
  const file = originalsFile(host, "/state");
  await file.write(originals, {});
  await file.write({}, originals);
  expect(await file.read()).toEqual({});
  for (const one of file.paths) expect(await host.readFile(one)).toBeUndefined();
});
