/**
 * The sysctls that a policy may set unless the install says otherwise: they harden, and none of them can cut a node off
 * or take a pod's forwarding away. Left out on purpose:
 * - `ip_local_port_range`, `ip_local_reserved_ports`: have fields of their own, where they are merged;
 * - `ip_unprivileged_port_start`: the kernel refuses a port range that begins below it, so it would fail the range;
 * - `ip_forward`, `conf.*.forwarding`, `accept_ra`, `disable_ipv6`: one wrong value takes the node off the network;
 * - `nf_conntrack_tcp_loose`: 0 cuts connections that are older than conntrack's own start;
 * - per-interface keys other than `all` and `default`: they belong to the CNI plugin.
 */
export interface AllowedSysctl {
  /** A dotted key; `*` stands for one or more characters that are no dot. */
  readonly pattern: string;
  readonly reason: string;
}

export const DEFAULT_ALLOWED_SYSCTLS: readonly AllowedSysctl[] = [
  { pattern: "net.ipv4.tcp_syncookies", reason: "answers SYN floods without keeping state" },
  { pattern: "net.ipv4.tcp_max_syn_backlog", reason: "room for half-open connections in a flood" },
  { pattern: "net.ipv4.tcp_synack_retries", reason: "how long a half-open connection is kept" },
  { pattern: "net.ipv4.tcp_syn_retries", reason: "how long an outbound attempt holds its local port" },
  { pattern: "net.ipv4.tcp_fin_timeout", reason: "how long a closed connection holds its local port" },
  { pattern: "net.ipv4.tcp_tw_reuse", reason: "lets a narrow port range be used again sooner" },
  { pattern: "net.ipv4.tcp_max_tw_buckets", reason: "bounds the memory of connections in TIME_WAIT" },
  { pattern: "net.ipv4.tcp_rfc1337", reason: "no TIME_WAIT assassination (RFC 1337)" },
  { pattern: "net.ipv4.tcp_timestamps", reason: "hides uptime (0) or randomises the offset (1)" },
  { pattern: "net.ipv4.tcp_invalid_ratelimit", reason: "bounds the answers to out-of-window segments" },
  { pattern: "net.core.somaxconn", reason: "bounds the accept queue" },
  { pattern: "net.ipv4.icmp_echo_ignore_broadcasts", reason: "no smurf amplification" },
  { pattern: "net.ipv4.icmp_ignore_bogus_error_responses", reason: "keeps bogus ICMP errors out of the log" },
  { pattern: "net.ipv4.icmp_ratelimit", reason: "bounds the ICMP that the node sends" },
  { pattern: "net.ipv4.conf.all.rp_filter", reason: "drops spoofed sources; 1 breaks some CNI plugins, 2 does not" },
  { pattern: "net.ipv4.conf.default.rp_filter", reason: "the same for interfaces to come" },
  { pattern: "net.*.conf.all.accept_redirects", reason: "no route injection by ICMP redirect" },
  { pattern: "net.*.conf.default.accept_redirects", reason: "the same for interfaces to come" },
  { pattern: "net.ipv4.conf.all.secure_redirects", reason: "no route injection in the name of a gateway" },
  { pattern: "net.ipv4.conf.default.secure_redirects", reason: "the same for interfaces to come" },
  { pattern: "net.ipv4.conf.all.send_redirects", reason: "a node is no router for its peers" },
  { pattern: "net.ipv4.conf.default.send_redirects", reason: "the same for interfaces to come" },
  { pattern: "net.*.conf.all.accept_source_route", reason: "no source routing round the firewall" },
  { pattern: "net.*.conf.default.accept_source_route", reason: "the same for interfaces to come" },
  { pattern: "net.ipv4.conf.all.log_martians", reason: "impossible sources are logged" },
  { pattern: "net.ipv4.conf.default.log_martians", reason: "the same for interfaces to come" },
  { pattern: "net.netfilter.nf_conntrack_max", reason: "room in the table that every rule here depends on" },
];

/** Whether one of `patterns` (as in `AllowedSysctl.pattern`) matches the dotted `key`. */
export function sysctlAllowed(key: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\\*", "[^.]+");
    return new RegExp(`^${escaped}$`).test(key);
  });
}
