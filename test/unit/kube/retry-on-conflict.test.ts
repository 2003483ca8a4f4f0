import { expect, it } from "vitest";
import { ConflictError, ForbiddenError } from "../../../src/kube/errors.ts";
import { retryOnConflict } from "../../../src/kube/retry-on-conflict.ts";

const conflict = new ConflictError("the object has been modified", { request: "PUT /", status: 409 });

/** Fails with each of `errors`, then succeeds. */
function attempts(...errors: Error[]) {
  let made = 0;
  return {
    made: () => made,
    async attempt() {
      const error = errors[made++];
      if (error !== undefined) throw error;
      return "written";
    },
  };
}

it("tries again where another writer came between", async () => {
  const { attempt, made } = attempts(conflict, conflict);
  expect(await retryOnConflict(attempt)).toBe("written");
  expect(made()).toBe(3);
});

it("gives up after five conflicts, with the last", async () => {
  const { attempt, made } = attempts(...Array.from({ length: 9 }, () => conflict));
  await expect(retryOnConflict(attempt)).rejects.toBe(conflict);
  expect(made()).toBe(5);
});

it("does not repeat what fails otherwise", async () => {
  const forbidden = new ForbiddenError("no", { request: "PUT /", status: 403 });
  const { attempt, made } = attempts(forbidden);
  await expect(retryOnConflict(attempt)).rejects.toBe(forbidden);
  expect(made()).toBe(1);
});

it("ends when it is aborted", async () => {
  const { attempt, made } = attempts(conflict, conflict);
  await expect(retryOnConflict(attempt, AbortSignal.abort(new Error("stopping")))).rejects.toThrow("stopping");
  expect(made()).toBe(1);
});
