import * as z from "zod";
import { withRules } from "./rule.ts";
import { textMap } from "./text-map.ts";

const KEY = /^(net|kernel|vm|fs)(\.[a-z0-9_]+)+$/;
const VALUE = /^[!-~]([ -~]*[!-~])?$/;
const PORT_KEYS = ["net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"];

/** Dotted sysctl names to values. One line of printable ASCII each, as they go into sysctl.d and /proc/sys. */
export const sysctlsSchema = withRules(
  textMap(z.string().max(128).regex(VALUE, "must be one line of printable ASCII without blanks at its ends"), 64),
  [
    {
      cel: `self.all(k, size(k) <= 128 && k.matches('${KEY.source.replaceAll("\\", "\\\\")}'))`,
      message: "each key must be a dotted sysctl name below net, kernel, vm or fs, such as net.ipv4.tcp_syncookies",
      holds: (sysctls) => Object.keys(sysctls).every((key) => key.length <= 128 && KEY.test(key)),
    },
    {
      cel: `self.all(k, !(k in ['${PORT_KEYS.join("', '")}']))`,
      message: `${PORT_KEYS.join(" and ")} are set by spec.ephemeralPorts: use its range and reserved`,
      holds: (sysctls) => !PORT_KEYS.some((key) => Object.hasOwn(sysctls, key)),
    },
  ],
);
