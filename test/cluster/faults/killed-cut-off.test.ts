import { existsSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { waitFor } from "../../lab/wait-for.ts";
import { enforcesAlone, fatal, faultLab, is, outcome, workers } from "./fault-lab.ts";
import { steps } from "./steps.ts";

const stopping = steps(() => one);
const one = faultLab(stopping.through);
vi.setConfig({ testTimeout: 600_000 });

const rolledBack = () => one.lab.statusWhere("fatal to be RolledBack", is("RolledBack", "fatal"));
const decided = () =>
  waitFor("nothing to be armed", () => !existsSync(one.folder("armed")) || undefined, {
    timeoutMilliseconds: 90_000,
  });

it("an agent killed between any two steps of a change that cuts the node off, or of taking it back, costs nobody the node", async () => {
  const before = await one.lab.everything();
  const all = await stopping.trace("rm guard/rolled-back", async () => {
    await one.lab.assign([workers, fatal]);
    await rolledBack();
  });
  // What comes before cuts nothing; see killed-between-steps.test.ts.
  const from = all.findIndex(({ name }) => name.startsWith("run "));
  const cutting = all.slice(from);
  expect(cutting.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "run iptables-nft-restore",
      "started iptables-nft-restore",
      "rename guard/armed/.applied",
      "rename guard/armed/.asked",
      "rename rolled-back.json.tmp",
    ]),
  );
  for (const [index, { name, number }] of cutting.entries()) {
    await one.lab.assign([workers]);
    await one.lab.statusWhere("workers to be enforced alone", enforcesAlone(workers));
    stopping.order("SIGKILL", number);
    await one.lab.assign([workers, { ...fatal, retryAt: `${index}` }]);
    expect(await stopping.stopped()).toBe(name);
    await one.agent.exited;
    // One in two is left to the guard alone, until its deadline; the other to the next agent.
    if (index % 2 === 0) {
      await decided();
      await waitFor("the node to reach its API server", async () => (await one.reachesApiServer()) || undefined, {
        timeoutMilliseconds: 30_000,
      });
    }
    one.agent = await one.lab.startAgent([], stopping.through());
    const status = await rolledBack();
    expect(outcome(status, "workers")?.state, `killed before ${name}`).toBe("Enforced");
    expect(await one.reachesApiServer(), `killed before ${name}`).toBe(true);
    expect(await one.lab.everything(), `killed before ${name}`).toBe(before);
  }
});
