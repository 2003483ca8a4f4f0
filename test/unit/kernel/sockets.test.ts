import { expect, it } from "vitest";
import { parseInetDiag } from "../../../src/kernel/inet-diag.ts";
import { parseProcNet } from "../../../src/kernel/proc-net.ts";
import { parseSctpEndpoints } from "../../../src/kernel/sctp-endpoints.ts";
import { addressText, procAddressBytes } from "../../../src/kernel/socket-address.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

it.each([
  ["00000000", "0.0.0.0"],
  ["c0000201", "192.0.2.1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000000000001", "::1"],
  ["00000000000000000000ffffc0000201", "192.0.2.1"],
  ["20010db8000000000000000000000007", "2001:db8::7"],
  ["20010db8000100000001000000000001", "2001:db8:1:0:1::1"],
  ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
  ["fe80000000000000000000000000000a", "fe80::a"],
  ["20010db8000a000b000c000d000e0000", "2001:db8:a:b:c:d:e:0"],
  ["20010db8000a000b000c000d00000000", "2001:db8:a:b:c:d::"],
])("writes %s as RFC 5952 wants it", (hex, text) => {
  expect(addressText(bytes(hex))).toBe(text);
});

it("reads addresses of /proc/net in either byte order", () => {
  expect([...procAddressBytes("010200C0", true)]).toEqual([192, 0, 2, 1]);
  expect([...procAddressBytes("C0000201", false)]).toEqual([192, 0, 2, 1]);
});

it("reads lines of /proc/net/tcp6", () => {
  const text = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 24601 1 ffff8881 100 0 0 10 0
`;
  expect(parseProcNet(text)).toEqual([
    { local: { address: "::", port: 8080 }, remote: { address: "::", port: 0 }, state: 10, uid: 999, inode: 24601 },
  ]);
});

it("reads who listens by SCTP, on each of its addresses, and no endpoint of a client", () => {
  const text = ` ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
       0        0 2   10  29   38412   200 299689357 192.0.2.1 2001:0db8:0000:0000:0000:0000:0000:0007\u0020
       0        0 0   7   18   49212     0 299689359 0.0.0.0\u0020
`;
  const both = { protocol: "SCTP", port: 38412, uid: 200, inode: 299_689_357 };
  expect(parseSctpEndpoints(text)).toEqual([
    { ...both, address: "192.0.2.1" },
    { ...both, address: "2001:db8::7" },
  ]);
});

/** A listener on [::]:20184 and the end of the dump, as an x86-64 kernel wrote them. */
const listener =
  `840000001400020040e20100550201000a0a00004ed80000${"00".repeat(32)}00000000` +
  `0910000000000000${"00".repeat(12)}e703000087825b00050008000000000005000b0000000000` +
  `08000f00000000000c00150001000000000000000600160012000000`;
const done = "140000000300020040e201005502010000000000";

it("reads what the kernel answers through netlink", () => {
  expect(parseInetDiag(bytes(listener + done), true)).toEqual([
    {
      local: { address: "::", port: 20184 },
      remote: { address: "::", port: 0 },
      state: 10,
      uid: 999,
      inode: 5_997_191,
    },
  ]);
});

it("takes no dump for whole that the kernel did not end", () => {
  expect(parseInetDiag(bytes(listener), true)).toBeUndefined();
  expect(parseInetDiag(bytes((listener + done).slice(0, 100)), true)).toBeUndefined();
  expect(parseInetDiag(new Uint8Array(), true)).toBeUndefined();
});
