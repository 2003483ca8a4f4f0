/** When alerts fire, and when they do not. Series as `promtool test rules` writes them: one sample a minute from minute 0 on. */

type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly series: Series;
  /** When it is looked, from minute 0 on. */
  readonly at: string;
}

export interface FiringCase extends AlertCase {
  /** Those of the alert, without its severity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

export interface AlertCases {
  readonly fires: FiringCase;
  /** By why it does not. */
  readonly quiet: Readonly<Record<string, AlertCase>>;
}

export const target = { instance: "192.0.2.1:9471", job: "port-hardening-agent", node: "a" };

export function series(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}
export const ofAgent = (name: string, labels = {}) => series(`port_hardening_${name}`, { ...target, ...labels });
export const ofPolicy = (name: string, labels = {}) =>
  series(`port_hardening_policy_${name}`, { policy: "p", ...labels });
export const finding = (id: string, severity: string) => ofAgent("audit_findings", { finding: id, severity });
export const always = (value: number) => `${value}+0x5000`;

/** A gauge of the agent that is 1 where something is wrong. */
export function problem(name: string, at: string, summary: string): AlertCases {
  const labels = { problem: name };
  return {
    fires: { series: { [ofAgent("node_problem", labels)]: always(1) }, at, labels: { ...target, ...labels }, summary },
    quiet: {
      "there is none": { series: { [ofAgent("node_problem", labels)]: always(0) }, at },
      "the problem is another": {
        series: { [ofAgent("node_problem", { problem: "ExistingUnknown" })]: always(1) },
        at,
      },
    },
  };
}
