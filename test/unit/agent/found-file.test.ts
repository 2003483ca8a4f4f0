import { expect, it } from "vitest";
import { foundFile } from "../../../src/agent/found-file.ts";
import { memoryHost } from "../../../src/kernel/memory-host.ts";
import type { FoundFact } from "../../../src/plan/found-failsafes.ts";

const path = "/state/found.json";
const facts: FoundFact[] = [
  { kind: "SshListener", port: 2222, evidence: "/usr/sbin/sshd listens (pid 812)" },
  { kind: "ApiServer", port: 6443, address: "2001:db8::10", evidence: "kubelet" },
];

it("gives back what was saved, and nothing where nothing was", async () => {
  const file = foundFile("/state", memoryHost());
  expect(await file.load()).toEqual([]);
  await file.save(facts);
  expect(await file.load()).toEqual(facts);
  await file.forget();
  expect(await file.load()).toEqual([]);
});

it("takes a file that was cut at any byte, or altered, for none", async () => {
  const host = memoryHost();
  const file = foundFile("/state", host);
  await file.save(facts);
  const whole = (await host.readFile(path)) ?? "";
  for (let length = 0; length < whole.trimEnd().length; length += 1) {
    await host.writeFileAtomic(path, whole.slice(0, length));
    expect(await file.load(), `the first ${length} bytes`).toEqual([]);
  }
  await host.writeFileAtomic(path, whole.replace("2001:db8::10", "0.0.0.0/0"));
  expect(await file.load()).toEqual([]);
});
