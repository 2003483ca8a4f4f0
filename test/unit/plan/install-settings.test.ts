import { describe, expect, it } from "vitest";
import { DEFAULT_FAILSAFES } from "../../../src/plan/failsafes.ts";
import { parseInstallSettings } from "../../../src/plan/install-settings.ts";
import { DEFAULT_NODE_SETTINGS } from "../../../src/plan/node-settings.ts";

describe("the settings of an install", () => {
  it("are the defaults where nothing is said", () => {
    expect(parseInstallSettings(undefined)).toEqual(parseInstallSettings({}));
    expect(parseInstallSettings({}).node).toEqual(DEFAULT_NODE_SETTINGS);
    expect(parseInstallSettings({}).allowedSysctls).toContain("net.ipv4.tcp_syncookies");
  });

  it("add failsafes to ours, which nobody can take away", () => {
    const backup = { name: "backup", protocol: "TCP", ports: [9102, "10000-10010"], peers: "Nodes" };
    const { failsafes } = parseInstallSettings({ failsafes: { inbound: [backup] } }).node;
    const ports = [
      { from: 9102, to: 9102 },
      { from: 10000, to: 10010 },
    ];
    expect(failsafes.inbound).toEqual([...DEFAULT_FAILSAFES.inbound, { ...backup, ports, origin: "Installed" }]);
    expect(failsafes.outbound).toEqual(DEFAULT_FAILSAFES.outbound);
  });

  it("replace the sysctls that may be set and the interfaces of pods", () => {
    const { allowedSysctls, node } = parseInstallSettings({
      allowedSysctls: ["net.ipv4.conf.*.rp_filter"],
      podInterfaces: ["pod+"],
      podsOnUplink: true,
    });
    expect(allowedSysctls).toEqual(["net.ipv4.conf.*.rp_filter"]);
    expect(node).toEqual({ ...DEFAULT_NODE_SETTINGS, podInterfaces: ["pod+"], podsOnUplink: true });
  });

  it.each([
    [{ failsafe: {} }, "failsafe"],
    [{ allowedSysctls: ["../etc/passwd"] }, "allowedSysctls[0]"],
    [{ podInterfaces: ["a very long interface"] }, "podInterfaces[0]"],
    [
      { failsafes: { inbound: [{ name: "x", protocol: "TCP", ports: [0], peers: "Nodes" }] } },
      "failsafes.inbound[0].ports[0]",
    ],
    ["text", ""],
  ])("that are wrong are refused by the field's name: %j", (value, field) => {
    expect(() => parseInstallSettings(value)).toThrow(field);
  });
});
