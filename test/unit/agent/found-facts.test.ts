import { describe, expect, it } from "vitest";
import { foundFacts } from "../../../src/agent/found-facts.ts";
import type { Sight } from "../../../src/agent/node-sight.ts";
import type { FoundFact } from "../../../src/plan/found-failsafes.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const MINUTE = 60_000;
const log = createLogger({ name: "agent", level: "fatal" });
const ssh = (port: number, pid = 812): FoundFact => ({ kind: "SshListener", port, evidence: `pid ${pid}` });
const api = (address: string): FoundFact => ({ kind: "ApiServer", port: 6443, address, evidence: "kubelet" });

function watched(...first: FoundFact[]) {
  const clock = { now: 0 };
  let kept: readonly FoundFact[] = [];
  const disk = {
    refuses: false,
    load: async () => kept,
    forget: () => Promise.reject(new Error("no agent does that")),
    async save(now: readonly FoundFact[]) {
      if (disk.refuses) throw new Error("no space left on device");
      kept = now;
    },
  };
  let seen: Sight = new Map();
  const facts = start();
  function start() {
    return foundFacts({ sight: { look: async () => seen }, file: disk, log, now: () => clock.now });
  }
  const show = (...shown: FoundFact[]) => {
    seen = new Map([
      ["SshListener", shown.filter(({ kind }) => kind === "SshListener")],
      ["ApiServer", shown.filter(({ kind }) => kind === "ApiServer")],
    ]);
  };
  show(...first);
  return {
    facts,
    show,
    blind: () => {
      seen = new Map();
    },
    async after(minutes: number): Promise<readonly FoundFact[]> {
      clock.now += minutes * MINUTE;
      await facts.look();
      return facts.facts;
    },
    disk,
    /** What another process finds, a minute later. */
    async restarted(): Promise<readonly FoundFact[]> {
      clock.now += MINUTE;
      const next = start();
      await next.look();
      return next.facts;
    },
  };
}

describe("what was found", () => {
  it("stays while the server is away, for however long", async () => {
    const { after, show } = watched(ssh(2222));
    await after(0);
    show();
    expect(await after(10_000)).toEqual([ssh(2222)]);
  });

  it("stays for an hour when the server listens elsewhere, and goes then", async () => {
    const { after, show } = watched(ssh(2222));
    await after(0);
    show(ssh(2022));
    expect(await after(59)).toEqual([ssh(2022), ssh(2222)]);
    expect(await after(2)).toEqual([ssh(2022)]);
  });

  it("stays where it could not be looked at, or where only things of another kind are seen", async () => {
    const { after, show, blind } = watched(ssh(2222));
    await after(0);
    blind();
    expect(await after(10_000)).toEqual([ssh(2222)]);
    show(api("203.0.113.10"));
    expect(await after(10_000)).toEqual([api("203.0.113.10"), ssh(2222)]);
  });

  it("takes the new evidence of a server that restarted, and is otherwise the very same list", async () => {
    const { after, show, facts } = watched(ssh(2222, 812));
    await after(0);
    const before = facts.facts;
    expect(await after(1)).toBe(before);
    show(ssh(2222, 999));
    expect(await after(1)).toEqual([ssh(2222, 999)]);
  });

  it("is known after a restart, also where nothing is there to be seen", async () => {
    const { after, show, restarted } = watched(ssh(2222));
    await after(0);
    show();
    expect(await restarted()).toEqual([ssh(2222)]);
  });

  it("is in force though the disk refuses it, which is said, and saved later", async () => {
    const { after, disk, facts, restarted, show } = watched(ssh(2222));
    disk.refuses = true;
    expect(await after(0)).toEqual([ssh(2222)]);
    expect(facts.failure).toMatchObject({ message: "no space left on device" });
    disk.refuses = false;
    await after(1);
    expect(facts.failure).toBeUndefined();
    show();
    expect(await restarted()).toEqual([ssh(2222)]);
  });

  it("is kept in bounds, those that were seen last", async () => {
    const { after, show } = watched(...Array.from({ length: 40 }, (_, index) => api(`192.0.2.${index}`)));
    await after(0);
    show(...Array.from({ length: 40 }, (_, index) => api(`198.51.100.${index}`)));
    const facts = await after(1);
    expect(facts).toHaveLength(64);
    expect(facts.slice(0, 40).every(({ address }) => address?.startsWith("198."))).toBe(true);
  });

  it("does not go early because the clock jumped back and forth", async () => {
    const { after, show } = watched(ssh(2222));
    await after(0);
    show(ssh(2022));
    await after(1);
    expect(await after(-50)).toEqual([ssh(2022), ssh(2222)]);
    expect(await after(58)).toEqual([ssh(2022), ssh(2222)]);
  });
});
