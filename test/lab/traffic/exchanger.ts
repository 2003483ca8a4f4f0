import { randomUUID } from "node:crypto";
import type { Exchange } from "./protocol.ts";

/** Sends a token and waits for it to come back. `look` says what is known; it is asked again whenever `waiting` is woken. */
export function exchanger(parts: {
  readonly send: (token: string) => void;
  readonly look: (token: string) => Exchange | undefined;
  readonly waiting: Set<() => void>;
}): (timeoutMilliseconds: number) => Promise<Exchange> {
  return (timeoutMilliseconds) => {
    const token = randomUUID();
    return new Promise((resolve) => {
      const end = (exchange: Exchange) => {
        clearTimeout(timer);
        parts.waiting.delete(check);
        resolve(exchange);
      };
      const timer = setTimeout(() => end("silent"), timeoutMilliseconds);
      const check = () => {
        const seen = parts.look(token);
        if (seen !== undefined) end(seen);
      };
      parts.waiting.add(check);
      parts.send(token);
      check();
    });
  };
}
