import type { AttemptResult } from "./protocol.ts";

/** The result of an attempt that began at `started` (performance.now()) and whose socket `readLocal` describes. */
export function attemptResult(
  started: number,
  outcome: AttemptResult["outcome"],
  readLocal: () => { readonly address?: string | undefined; readonly port?: number | undefined },
  error?: string,
): AttemptResult {
  return {
    outcome,
    ...local(readLocal),
    milliseconds: Math.round((performance.now() - started) * 10) / 10,
    ...(error === undefined ? {} : { error }),
  };
}

/** What a socket's error means for the attempt. */
export function outcomeOf({ code }: NodeJS.ErrnoException): AttemptResult["outcome"] {
  if (code === "ECONNREFUSED") return "refused";
  return code === "ETIMEDOUT" ? "timeout" : "failed";
}

function local(
  read: () => { readonly address?: string | undefined; readonly port?: number | undefined },
): Pick<AttemptResult, "localAddress" | "localPort"> {
  try {
    const { address, port } = read();
    return address === undefined || port === undefined ? {} : { localAddress: address, localPort: port };
  } catch {
    return {}; // Never bound.
  }
}
