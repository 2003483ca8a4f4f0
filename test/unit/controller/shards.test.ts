import fc from "fast-check";
import { expect, it } from "vitest";
import { assignShards } from "../../../src/controller/shards.ts";

const addresses = fc.uniqueArray(
  fc.nat(200).map((n) => `198.18.0.${n}/32`),
  { maxLength: 60 },
);

it("publishes every address exactly once, in shards that are not too big", () => {
  fc.assert(
    fc.property(addresses, addresses, addresses, (wanted, first, second) => {
      const shards = [
        ...assignShards(
          wanted,
          new Map([
            [0, first],
            [3, second],
          ]),
          10,
        ).values(),
      ];
      expect(shards.flat().toSorted()).toEqual(wanted.toSorted());
      expect(shards.every((shard) => shard.length > 0 && shard.length <= 10)).toBe(true);
    }),
  );
});

it("leaves every shard alone but the one from which an address goes", () => {
  fc.assert(
    fc.property(
      addresses.filter((list) => list.length > 1),
      (wanted) => {
        const before = assignShards(wanted, new Map(), 10);
        const [gone, ...rest] = wanted;
        const after = assignShards(rest, before, 10);
        const changed = [...before].filter(([index, shard]) => after.get(index)?.join() !== shard.join());
        expect(changed).toHaveLength(1);
        expect(changed[0]?.[1]).toContain(gone);
      },
    ),
  );
});

it("puts a new address into the first gap and leaves the other shards alone", () => {
  const before = new Map([
    [0, ["a", "c"]],
    [1, ["b"]],
    [2, ["d", "e"]],
  ]);
  const after = assignShards(["a", "b", "c", "d", "e", "0"], before, 2);
  expect([...after]).toEqual([
    [0, ["a", "c"]],
    [1, ["0", "b"]],
    [2, ["d", "e"]],
  ]);
});

it("says the same again about what it has published", () => {
  const once = assignShards(["b", "a", "c"], new Map(), 2);
  expect(assignShards(["c", "b", "a"], once, 2)).toEqual(once);
});

it("leaves out a shard that has nothing left", () => {
  expect([
    ...assignShards(
      ["b"],
      new Map([
        [0, ["a"]],
        [1, ["b"]],
      ]),
      1,
    ),
  ]).toEqual([[1, ["b"]]]);
});
