import { bad, badNull, good, many, policy, type Sample } from "./sample.ts";

const monitoring = (fields: unknown) => policy({ monitoring: fields });
const listeners = (fields: unknown) => monitoring({ listeners: fields });
const expected = (...items: readonly unknown[]) => listeners({ expected: items });

const EXPECTED = "spec.monitoring.listeners.expected";
const PROCESS = `${EXPECTED}[0].process`;
const PER_MINUTE = "spec.monitoring.dropLog.perMinute";
/** A process, and what its name is refused with. */
const unnamed = (name: string, process: string) =>
  bad(name, expected({ port: 9100, process }), PROCESS, "must be the name of a process", "should match");

export const monitoringSamples: readonly Sample[] = [
  good("no field of monitoring", monitoring({})),
  good("no field of listeners", listeners({})),
  good("no listener that is meant to be there", expected()),
  good(
    "listeners that are meant to be there",
    expected({ port: 9100, process: "node_exporter" }, { port: "30000-32767" }),
  ),
  good("two processes on one port", expected({ port: 53, process: "dnsmasq" }, { port: "53", process: "unbound" })),
  good("a process with blanks in its name", expected({ port: 1, process: "tmux: server" })),
  good("a process of one character", expected({ port: 65535, process: "x" })),
  good("a process of 255 characters", expected({ port: 9100, process: "p".repeat(255) })),
  good("64 expected listeners", expected(...many(64, (n) => ({ port: 9000 + n })))),
  good("unexpected listeners ignored", listeners({ unexpected: "Ignore" })),
  good("null for what becomes of unexpected listeners", listeners({ unexpected: null })),
  good("drops in the log", monitoring({ dropLog: { perMinute: 30 } })),
  good("as many drops in the log as may be", monitoring({ dropLog: { perMinute: 6000 } })),
  good("monitoring where the policy observes", policy({ mode: "Observe", monitoring: { listeners: {} } })),
  badNull("null for monitoring", monitoring(null), "spec.monitoring"),
  badNull("null for listeners", listeners(null), "spec.monitoring.listeners"),
  badNull("null for the expected listeners", listeners({ expected: null }), EXPECTED),
  badNull("null for a process", expected({ port: 1, process: null }), PROCESS),
  bad("an unknown field of monitoring", monitoring({ listener: {} }), "spec.monitoring.listener", "unknown field"),
  bad(
    "an unknown field of listeners",
    listeners({ allowed: [] }),
    "spec.monitoring.listeners.allowed",
    "unknown field",
  ),
  bad("an unknown field of a listener", expected({ port: 1, user: "root" }), `${EXPECTED}[0].user`, "unknown field"),
  bad("a bare port as a listener", expected(9100), `${EXPECTED}[0]`, "must be an object", "must be of type object"),
  bad(
    "a listener without a port",
    expected({ process: "nginx" }),
    `${EXPECTED}[0].port`,
    "must be a port",
    "Required value",
  ),
  bad(
    "a listener on port 0",
    expected({ port: 0 }),
    `${EXPECTED}[0].port`,
    "must be a port",
    "should be greater than or equal to 1",
  ),
  bad(
    "a listener on a range backwards",
    expected({ port: 1 }, { port: "32767-30000" }),
    `${EXPECTED}[1].port`,
    "must not end before it starts",
  ),
  bad("65 expected listeners", expected(...many(65, (n) => ({ port: 9000 + n }))), EXPECTED, "at most 64 items"),
  bad(
    "a process of 256 characters",
    expected({ port: 9100, process: "p".repeat(256) }),
    PROCESS,
    "at most 255 characters",
    "may not be more than 255 bytes",
  ),
  bad(
    "a process by its number",
    expected({ port: 9100, process: 1 }),
    PROCESS,
    "put it in quotes",
    "must be of type string",
  ),
  unnamed("a process without a name", ""),
  unnamed("a process of a blank", " "),
  unnamed("a process that begins with a blank", " nginx"),
  unnamed("a process that ends with a new line", "nginx\n"),
  unnamed("a process beyond ASCII", "ｎginx"),
  bad(
    "unexpected listeners required to be none",
    listeners({ unexpected: "Required" }),
    "spec.monitoring.listeners.unexpected",
    "must be Report or Ignore",
    "supported values",
  ),
  bad("a log of drops without a bound", monitoring({ dropLog: {} }), PER_MINUTE, "is required", "Required value"),
  bad(
    "no line of drops in a minute",
    monitoring({ dropLog: { perMinute: 0 } }),
    PER_MINUTE,
    "must be at least 1",
    "should be greater than or equal to 1",
  ),
  bad(
    "more than a hundred lines a second",
    monitoring({ dropLog: { perMinute: 6001 } }),
    PER_MINUTE,
    "must be at most 6000",
    "should be less than or equal to 6000",
  ),
  bad(
    "half a line a minute",
    monitoring({ dropLog: { perMinute: 0.5 } }),
    PER_MINUTE,
    "must be a whole number, not 0.5",
    "must be of type int32",
  ),
];
