import { describe, expect, it } from "vitest";
import { ForbiddenError } from "../../../src/kube/errors.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

function capture() {
  const lines: Record<string, unknown>[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(JSON.parse(line)) } };
}

describe("createLogger", () => {
  it("writes one JSON object a line, with its name, the level as a word and the time", () => {
    const { lines, destination } = capture();
    createLogger({ name: "agent", level: "info", destination }).info({ policy: "workers" }, "policy enforced");
    expect(lines).toEqual([
      expect.objectContaining({ level: "info", name: "agent", msg: "policy enforced", policy: "workers" }),
    ]);
    expect(Date.parse(String(lines[0]?.time))).not.toBeNaN();
  });

  it("leaves out what is below its level", () => {
    const { lines, destination } = capture();
    createLogger({ name: "agent", level: "warn", destination }).info("started");
    expect(lines).toEqual([]);
  });

  it("says of an error its type, message and causes, and nothing that hangs on it", () => {
    const { lines, destination } = capture();
    const cause = Object.assign(new Error("socket closed"), { headers: { authorization: "Bearer abc" } });
    const err = Object.assign(new Error("request failed", { cause }), { token: "abc" });
    createLogger({ name: "agent", level: "info", destination }).warn({ err }, "list failed");
    expect(lines[0]?.err).toMatchObject({
      type: "Error",
      message: "request failed",
      cause: { message: "socket closed" },
    });
    expect(JSON.stringify(lines)).not.toContain("abc");
  });

  it("says the way out where a right is missing, and nowhere else", () => {
    const { lines, destination } = capture();
    const log = createLogger({ name: "agent", level: "info", destination });
    const fields = { request: "GET /api/v1/pods", status: 403 };
    const missing = 'pods is forbidden: User "a" cannot list resource "pods" in API group "" at the cluster scope';
    log.warn({ err: new ForbiddenError(missing, fields) }, "refused");
    log.warn({ err: new ForbiddenError("the agent of node a writes only objects named a", fields) }, "refused");
    expect(lines[0]?.err).toMatchObject({ remedy: expect.stringContaining("kubectl apply -k deploy") });
    expect(lines[1]?.err).not.toHaveProperty("remedy");
  });
});
