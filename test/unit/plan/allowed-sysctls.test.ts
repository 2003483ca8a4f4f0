import { describe, expect, it } from "vitest";
import { DEFAULT_ALLOWED_SYSCTLS, sysctlAllowed } from "../../../src/plan/allowed-sysctls.ts";

const defaults = DEFAULT_ALLOWED_SYSCTLS.map(({ pattern }) => pattern);

describe("the default allow-list", () => {
  it.each(["net.ipv4.tcp_syncookies", "net.ipv4.tcp_max_syn_backlog", "net.ipv6.conf.all.accept_redirects"])(
    "holds %s",
    (key) => {
      expect(sysctlAllowed(key, defaults)).toBe(true);
    },
  );

  it.each([
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.forwarding",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.accept_ra",
    "net.ipv4.conf.eth0.rp_filter",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "kernel.core_pattern",
    "vm.panic_on_oom",
  ])("does not hold %s", (key) => {
    expect(sysctlAllowed(key, defaults)).toBe(false);
  });

  it("names each key once and says why", () => {
    expect(new Set(defaults).size).toBe(defaults.length);
    expect(DEFAULT_ALLOWED_SYSCTLS.filter(({ reason }) => reason === "")).toEqual([]);
  });
});

describe("sysctlAllowed", () => {
  it("lets * stand for one segment, never for a dot", () => {
    expect(sysctlAllowed("net.ipv4.conf.eth0.rp_filter", ["net.ipv4.conf.*.rp_filter"])).toBe(true);
    expect(sysctlAllowed("net.ipv4.conf.a.b.rp_filter", ["net.ipv4.conf.*.rp_filter"])).toBe(false);
    expect(sysctlAllowed("net.ipv4.tcp_rmem", ["net.*"])).toBe(false);
  });

  it("takes every other character of a pattern as it stands, over the whole key", () => {
    expect(sysctlAllowed("netxcore.somaxconn", ["net.core.somaxconn"])).toBe(false);
    expect(sysctlAllowed("net.core.somaxconn2", ["net.core.somaxconn"])).toBe(false);
    expect(sysctlAllowed("a.net.core.somaxconn", ["net.core.somaxconn"])).toBe(false);
    expect(sysctlAllowed("net.core.somaxconn", [])).toBe(false);
  });
});
