import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateDirectory } from "../../../src/agent/state-directory.ts";
import { parseAssigned } from "../../../src/plan/parse-plan.ts";
import { planHash } from "../../../src/plan/plan-hash.ts";
import { assigned, group } from "../plan/policies.ts";

const groups = [{ addressGroup: { name: "one" } }, { addressGroup: { name: "two" } }];

const last = {
  policies: [assigned({ ephemeralPorts: { range: "49152-65535" } })],
  groups: [group("g", ["192.0.2.0/24"])],
};
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "state-directory-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("stateDirectory", () => {
  it("gives back what was saved, and nothing where nothing was", async () => {
    const directory = stateDirectory(join(folder, "new", "deep"));
    expect(await directory.load()).toEqual({ kind: "None" });
    await directory.save(last);
    expect(await directory.load()).toEqual({ kind: "Found", last });
    expect(await readdir(join(folder, "new", "deep"))).toEqual(["last.json"]);
  });

  it("replaces what was saved before", async () => {
    const directory = stateDirectory(join(folder, "again"));
    await directory.save(last);
    await directory.save({ policies: [], groups: [] });
    expect(await directory.load()).toEqual({ kind: "Found", last: { policies: [], groups: [] } });
  });

  it("refuses and sets aside a file that was cut at any byte", async () => {
    const path = join(folder, "cut");
    const directory = stateDirectory(path);
    await directory.save(last);
    const whole = await readFile(join(path, "last.json"));
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(join(path, "last.json"), whole.subarray(0, length));
      expect(await directory.load(), `cut at byte ${length}`).toMatchObject({ kind: "Unusable" });
      expect(await readFile(join(path, "last.json.unusable"))).toEqual(whole.subarray(0, length));
    }
    expect(await directory.load()).toEqual({ kind: "Unusable", reason: "it was set aside before" });
    await directory.save(last);
    expect(await directory.load()).toEqual({ kind: "Found", last });
    await directory.forget();
    expect(await directory.load()).toEqual({ kind: "None" });
  });

  it("tries again what was rolled back, where the file that says so was cut at any byte", async () => {
    const path = join(folder, "charges");
    const directory = stateDirectory(path);
    const parts = { policies: [{ name: "p", uid: "u", hash: "h" }], groups: [], rules: "r", retries: [] };
    const charges = [{ ...parts, message: "rolled back", at: 1 }];
    await directory.saveCharges(charges);
    expect(await directory.loadCharges()).toEqual(charges);
    const [name = ""] = await readdir(path);
    const whole = await readFile(join(path, name));
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(join(path, name), whole.subarray(0, length));
      expect(await directory.loadCharges(), `cut at byte ${length}`).toEqual([]);
    }
  });

  it("refuses a file with any bit turned", async () => {
    const path = join(folder, "turned");
    const directory = stateDirectory(path);
    await directory.save(last);
    const whole = await readFile(join(path, "last.json"));
    for (let at = 0; at < whole.length; at += 1) {
      const turned = Buffer.from(whole);
      turned[at] = (turned[at] ?? 0) ^ 1;
      await writeFile(join(path, "last.json"), turned);
      expect(await directory.load(), `bit turned at byte ${at}`).toMatchObject({ kind: "Unusable" });
    }
  });

  it("refuses a plan of a later version as a whole: enforcing the rest would take rules away", async () => {
    const path = join(folder, "later");
    const directory = stateDirectory(path);
    const [policy] = last.policies;
    const later = { ...policy, name: "later", plan: { ...policy?.plan, format: 2 } };
    await directory.save({ ...last, policies: [...last.policies, later as unknown as (typeof last.policies)[number]] });
    expect(await directory.load()).toMatchObject({ kind: "Unusable", reason: expect.stringContaining("format 2") });
  });

  it("keeps a plan as it was written, so that an agent of another version can read it", async () => {
    const path = join(folder, "written");
    const directory = stateDirectory(path);
    const { plan, ...rest } = assigned({ firewall: { inbound: { allow: [{ name: "a", from: groups }] } } });
    const [allow] = plan.inbound?.allow ?? [];
    // The plan of somebody who sorts otherwise: read, it is put in order, and its hash is that of what was written.
    const written = structuredClone(plan);
    const peers = written.inbound?.allow[0]?.peers;
    if (allow === undefined || peers === undefined || peers === "Everybody") throw new Error("the plan has no list");
    (peers.groups as unknown[]).reverse();
    const hash = planHash({ ...rest, plan: written });
    const read = parseAssigned({ ...rest, hash, plan: written });
    expect(read.plan).toEqual(plan);
    await directory.save({ policies: [read], groups: [] });
    expect(await directory.load()).toEqual({ kind: "Found", last: { policies: [read], groups: [] } });
    expect(await readFile(join(path, "last.json"), "utf8")).toContain(JSON.stringify(written));
  });

  it("keeps the old state where the new one cannot be written", async () => {
    const path = join(folder, "full");
    const directory = stateDirectory(path);
    await directory.save(last);
    await rm(join(path, "last.json.tmp"), { force: true });
    await stateDirectory(join(path, "last.json"))
      .save({ policies: [], groups: [] })
      .then(
        () => expect.unreachable("a file is no directory"),
        () => undefined,
      );
    expect(await directory.load()).toEqual({ kind: "Found", last });
  });
});
