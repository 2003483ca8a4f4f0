import { expect, it, vi } from "vitest";
import { assigned } from "../../unit/plan/policies.ts";
import { allowed, enforcesAlone, faultLab, office, refused } from "./fault-lab.ts";
import { steps } from "./steps.ts";

const stopping = steps(() => one);
const one = faultLab(stopping.through);
vi.setConfig({ testTimeout: 600_000 });

/** Two revisions, each the other's edit: one set comes and one goes, and neither is about those who are looked at here. */
const allowing = (cidr: string) =>
  assigned({ firewall: { inbound: { allow: [...office, { name: "partner", from: [{ ipBlock: { cidr } }] }] } } });
const [first, second] = [allowing("198.51.100.0/25"), allowing("198.51.100.128/25")];

const enforced = (revision: typeof first) => one.lab.statusWhere("the change to be enforced", enforcesAlone(revision));

it("an agent killed between any two steps of a change leaves who is allowed in and who is refused out, and the next one makes it", async () => {
  await one.lab.assign([first]);
  await enforced(first);
  const kernels = new Map([[first.hash, await one.lab.everything()]]);
  const all = await stopping.trace("rm guard/confirmed", async () => {
    await one.lab.assign([second]);
    await enforced(second);
  });
  kernels.set(second.hash, await one.lab.everything());
  // Save, arm, apply, say so, confirm, keep: or this shows less than it says.
  expect(all.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "write guard/arming/*",
      "rename guard/arming",
      "write guard/wake",
      "run iptables-nft-restore",
      "started iptables-nft-restore",
      "rename guard/armed/.applied",
      "rename guard/armed",
      "rename guard/confirmed/last.json",
    ]),
  );
  for (const [index, { name, number }] of all.entries()) {
    const next = index % 2 === 0 ? first : second;
    stopping.order("SIGKILL", number);
    await one.lab.assign([next]);
    expect(await stopping.stopped()).toBe(name);
    await one.agent.exited;
    expect([await one.outsideReaches(allowed), await one.outsideReaches(refused)], `killed before ${name}`).toEqual([
      true,
      false,
    ]);
    one.agent = await one.lab.startAgent([], stopping.through());
    await enforced(next);
    expect(await one.lab.everything(), `killed before ${name}`).toBe(kernels.get(next.hash));
    expect([await one.reachesApiServer(), await one.outsideReaches(refused)]).toEqual([true, false]);
  }
});
