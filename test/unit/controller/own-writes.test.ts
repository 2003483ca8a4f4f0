import { beforeEach, expect, it } from "vitest";
import { type OwnWrites, ownWrites } from "../../../src/controller/own-writes.ts";
import { stateFacts } from "./facts.ts";

const handed = { assigned: [{ name: "p", uid: "u", hash: "aa" }], unawaited: [] };
const older = stateFacts("a", { generation: 3 });
let time: number;
let failures: number;
let writes: OwnWrites;

beforeEach(() => {
  time = 0;
  failures = 0;
  writes = ownWrites(
    () => time,
    () => {
      failures += 1;
    },
  );
});

it("shows what is being written, and what was, until the cache has it", () => {
  expect(writes.newest("a", older)).toBe(older);
  writes.begin("a", handed);
  expect(writes.newest("a", older)).toBe(handed);
  writes.end("a", { uid: older.uid, generation: 4 });
  expect(writes.newest("a", older)).toBe(handed);
  const newer = stateFacts("a", { generation: 4 });
  expect(writes.newest("a", newer)).toBe(newer);
  expect(writes.newest("a", older)).toBe(older);
});

it("shows what was before where nothing was written, and has it looked at anew", () => {
  writes.begin("a", handed);
  writes.end("a", undefined);
  expect([writes.newest("a", older), failures]).toEqual([older, 1]);
});

it("forgets a NodeState that was deleted, and not the one that was made in its place", () => {
  writes.begin("a", handed);
  writes.end("a", { uid: "new", generation: 1 });
  writes.gone("a", "old");
  expect(writes.newest("a", undefined)).toBe(handed);
  writes.gone("a", "new");
  expect(writes.newest("a", undefined)).toBeUndefined();
});

it("believes the cache after ten seconds, whatever was missed", () => {
  writes.begin("a", handed);
  writes.end("a", { uid: "new", generation: 1 });
  time = 9_999;
  expect(writes.newest("a", older)).toBe(handed);
  time = 10_000;
  expect(writes.newest("a", older)).toBe(older);
});
