import { type AlertCases, always, finding, ofAgent, ofPolicy, target } from "./case.ts";

const due = ofAgent("audit_due_timestamp_seconds");
const notChecked = { check: "local-ports", practice: "capacity", status: "NotChecked" };
const unexpected = "listeners.unexpected";

export const auditCases: Readonly<Record<string, AlertCases>> = {
  PortHardeningUnexpectedListener: {
    fires: {
      series: { [finding(unexpected, "high")]: always(2), [finding(unexpected, "low")]: always(1) },
      at: "10m",
      labels: target,
      summary: "3 unexpected listeners on a",
    },
    quiet: {
      "it looks like a client's socket": { series: { [finding(unexpected, "info")]: always(2) }, at: "10m" },
      "the finding is another": { series: { [finding("confinement.none", "high")]: always(1) }, at: "10m" },
      "it came and went": { series: { [finding(unexpected, "high")]: "1 1 _ _ _ _ _ _ _ _ _ _" }, at: "10m" },
    },
  },
  PortHardeningPlaintextProtocol: {
    fires: {
      series: { [finding("protocols.plaintext-redis", "high")]: always(1) },
      at: "10m",
      labels: { ...target, finding: "protocols.plaintext-redis" },
      summary: "protocols.plaintext-redis on a: 1 listeners",
    },
    quiet: { "it offers TLS": { series: { [finding("protocols.optional-tls", "low")]: always(1) }, at: "10m" } },
  },
  PortHardeningCertificateExpired: {
    fires: {
      series: { [finding("protocols.tls-expired", "high")]: always(1) },
      at: "1m",
      labels: target,
      summary: "1 certificates have expired on a",
    },
    quiet: { "it only will": { series: { [finding("protocols.tls-expires-soon", "medium")]: always(1) }, at: "1m" } },
  },
  PortHardeningCertificateExpires: {
    fires: {
      series: { [finding("protocols.tls-expires-soon", "medium")]: always(1) },
      at: "70m",
      labels: target,
      summary: "1 certificates expire within 21 days on a",
    },
    quiet: { "it has already": { series: { [finding("protocols.tls-expired", "high")]: always(1) }, at: "70m" } },
  },
  PortHardeningExposureLeak: {
    fires: {
      series: { [finding("exposure.leak", "high")]: always(2) },
      at: "10m",
      labels: target,
      summary: "A peer got past the policies of a in 2 ways",
    },
    quiet: {
      "it is a cut": { series: { [finding("exposure.cut", "medium")]: always(1) }, at: "10m" },
      "nobody found one": { series: { [finding("listeners.unexpected", "high")]: always(1) }, at: "10m" },
    },
  },
  PortHardeningSecurityUpdatesPending: {
    fires: {
      series: { [finding("updates.security-pending", "high")]: always(1) },
      at: "49h",
      labels: target,
      summary: "Security updates have been pending for two days on a",
    },
    quiet: {
      "they came today": { series: { [finding("updates.security-pending", "high")]: always(1) }, at: "24h" },
      "the host awaits a reboot": { series: { [finding("updates.reboot-pending", "medium")]: always(1) }, at: "49h" },
    },
  },
  PortHardeningRequirementsNotMet: {
    fires: {
      series: { [ofPolicy("audit_not_met_nodes")]: always(2) },
      at: "70m",
      labels: { policy: "p" },
      summary: "What policy p requires is not so on 2 nodes",
    },
    quiet: { "all is so": { series: { [ofPolicy("audit_not_met_nodes")]: always(0) }, at: "70m" } },
  },
  PortHardeningAuditOverdue: {
    fires: {
      series: { [due]: always(60) },
      at: "2h1m",
      labels: target,
      summary: "The audit of a has been due for 2h 0m 0s",
    },
    quiet: {
      "it is due now": { series: { [due]: always(7200) }, at: "2h1m" },
      "nobody asks for one": { series: { [ofAgent("connections", { state: "established" })]: always(1) }, at: "2h1m" },
    },
  },
  PortHardeningNotChecked: {
    fires: {
      series: { [ofAgent("audit_check_status", notChecked)]: always(1) },
      at: "49h",
      labels: { ...target, ...notChecked },
      summary: "Check local-ports could not look for two days on a",
    },
    quiet: {
      "it could yesterday": { series: { [ofAgent("audit_check_status", notChecked)]: "0+0x1500 1+0x3000" }, at: "49h" },
      "it can": {
        series: { [ofAgent("audit_check_status", { ...notChecked, status: "Checked" })]: always(1) },
        at: "49h",
      },
    },
  },
};
