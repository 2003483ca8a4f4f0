import { describe, expect, it } from "vitest";
import { classifyAnswer, classifyFailure } from "../../../src/kube/classify-error.ts";
import {
  ConflictError,
  ConnectionError,
  ForbiddenError,
  GoneError,
  InvalidError,
  KubeError,
  NotFoundError,
  NotServedError,
  TooManyRequestsError,
} from "../../../src/kube/errors.ts";

const request = "GET /api/v1/nodes/n1";

function answer(status: number, body: unknown, retryAfter?: string) {
  return classifyAnswer({ request, status, body, retryAfter });
}

describe("an answer", () => {
  it.each([
    [403, ForbiddenError],
    [409, ConflictError],
    [410, GoneError],
    [422, InvalidError],
    [429, TooManyRequestsError],
    [500, KubeError],
  ])("%i becomes its error, with the API server's own words", (status, kind) => {
    const error = answer(status, { kind: "Status", message: "its words", reason: "Its" });
    expect(error.constructor).toBe(kind);
    expect(error).toMatchObject({ name: kind.name, message: "its words", reason: "Its", status, request });
  });

  it("404 about an object is NotFound, about a kind NotServed", () => {
    const missing = { kind: "Status", message: 'nodes "n1" not found', reason: "NotFound", details: { name: "n1" } };
    expect(answer(404, missing)).toBeInstanceOf(NotFoundError);
    expect(answer(404, "404 page not found\n")).toBeInstanceOf(NotServedError);
    expect(answer(404, { kind: "Status", reason: "NotFound", details: {} })).toBeInstanceOf(NotServedError);
    expect(answer(404, "404 page not found\n").message).toBe("404 page not found");
  });

  it("keeps the causes, which name the fields", () => {
    const causes = [{ reason: "FieldValueInvalid", message: "Invalid value: 0", field: "spec.priority" }, "nonsense"];
    const { causes: kept } = answer(422, { kind: "Status", message: "invalid", details: { causes } });
    expect(kept).toEqual([causes[0]]);
  });

  it.each([
    ["the header", "7", {}, 7],
    ["the details", undefined, { retryAfterSeconds: 3 }, 3],
    ["nothing", undefined, {}, 1],
    ["nonsense", "Wed, 21 Oct 2015", {}, 1],
  ])("429 says when to come back, by %s", (_source, header, details, seconds) => {
    expect(answer(429, { kind: "Status", details }, header)).toMatchObject({ retryAfterSeconds: seconds });
  });

  it("has a message where the body has none", () => {
    expect(answer(502, "")).toMatchObject({ message: "status 502", reason: "", causes: [] });
  });
});

describe("a failure", () => {
  it.each([
    ["its message", new Error("socket hang up"), "socket hang up"],
    ["its code", Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
    ["its name", new RangeError(), "RangeError"],
    ["what it is", "odd", "odd"],
  ])("is a broken connection, told by %s", (_by, cause, message) => {
    expect(classifyFailure(request, cause)).toMatchObject({ name: "ConnectionError", message, cause, request });
  });

  it("that is classified already stays as it is", () => {
    const error = new ConnectionError("reset", { request });
    expect(classifyFailure("GET /other", error)).toBe(error);
  });
});
