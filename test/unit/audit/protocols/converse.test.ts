import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { converse } from "../../../../src/audit/protocols/converse.ts";
import { hintFor } from "../../../../src/audit/protocols/hint.ts";
import type { TlsSeen } from "../../../../src/audit/protocols/service.ts";
import { type Answer, defaultPatience } from "../../../../src/audit/protocols/step.ts";
import { type ScriptedServer, talk } from "./scripted-server.ts";

const tls: TlsSeen = {
  version: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  certificate: { subject: "CN=a.example", issuer: "CN=ca", notAfter: 0, selfSigned: false },
};

/** Greeting of MariaDB 10.11; the flags without and with CLIENT_SSL. */
function mariaDb(flags: string): string {
  const body = `\x0a5.5.5-10.11.19-MariaDB\0\x03\0\0\0abcdefgh\0${flags}\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0ijklmnopqrst\0mysql_native_password\0`;
  return `${String.fromCharCode(body.length)}\0\0\0${body}`;
}

const smtpWith = (capabilities: string): ScriptedServer => ({
  greeting: "220 mail.example ESMTP Postfix (Debian/GNU)\r\n",
  answer: (said) => {
    if (said.startsWith("EHLO")) return `250-mail.example\r\n${capabilities}250 CHUNKING\r\n`;
    return said.startsWith("STARTTLS") ? "220 2.0.0 Ready to start TLS\r\n" : undefined;
  },
  tls,
  tlsAfter: "STARTTLS",
});

const ftpWith = (features: string): ScriptedServer => ({
  greeting: "220 (vsFTPd 3.0.3)\r\n",
  answer: (said) => {
    if (said.startsWith("FEAT")) return `211-Features:\r\n${features} PASV\r\n UTF8\r\n211 End\r\n`;
    return said.startsWith("AUTH TLS") ? "234 Proceed with negotiation.\r\n" : undefined;
  },
  tls,
  tlsAfter: "AUTH TLS",
});

const http = (head: string): ScriptedServer => ({ answer: (said) => (said.startsWith("HEAD") ? head : undefined) });

const redis: ScriptedServer = {
  answer: (said) =>
    said.endsWith("\n") ? "-ERR unknown command 'HEAD', with args beginning with: '/' 'HTTP/1.0' \r\n" : undefined,
};

/** Hangs up on what looks like HTTP. */
const memcached: ScriptedServer = {
  answer: (said) => {
    if (/HTTP\/\d/.test(said)) return null;
    return said === "version\r\n" ? "VERSION 1.6.18\r\n" : said.endsWith("\n") ? "ERROR\r\n" : undefined;
  },
};

/** Any other words than its own: PostgreSQL hangs up. */
const postgreSql = (answer: string): ScriptedServer => ({
  answer: (said) => (said.startsWith("\0\0\0\x08") ? answer : null),
  tls: null,
});
const postgreSqlWithTls: ScriptedServer = { ...postgreSql("S"), tls, tlsAfter: "\0\0\0\x08\x04\xd2\x16/" };

const servers: readonly [string, ScriptedServer, object][] = [
  [
    "OpenSSH",
    { greeting: "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" },
    { protocol: "SSH", encryption: "Always", detail: "SSH-2.0-OpenSSH_9.2p1 Debian-2" },
  ],
  [
    "sshd behind a notice",
    { greeting: "Authorised users only\r\nSSH-2.0-x\r\n" },
    { protocol: "SSH", detail: "SSH-2.0-x" },
  ],
  ["telnetd", { greeting: "\xff\xfd\x18\xff\xfd\x20" }, { protocol: "Telnet", encryption: "None" }],
  [
    "MariaDB without TLS",
    { greeting: mariaDb("\xfe\xf7") },
    { protocol: "MySQL", encryption: "None", detail: "10.11.19-MariaDB" },
  ],
  [
    "MariaDB with TLS",
    { greeting: mariaDb("\xfe\xff") },
    { protocol: "MySQL", encryption: "Offered", detail: "10.11.19-MariaDB" },
  ],
  [
    "MySQL that refuses this host",
    { greeting: "\x2a\0\0\0\xff\x6a\x04Host 'x' is not allowed to connect here" },
    { protocol: "MySQL", encryption: "Unknown" },
  ],
  [
    "Postfix without StartTLS",
    smtpWith(""),
    { protocol: "SMTP", encryption: "None", detail: "mail.example ESMTP Postfix (Debian/GNU)" },
  ],
  ["Postfix with StartTLS", smtpWith("250-STARTTLS\r\n"), { protocol: "SMTP", encryption: "Offered", tls }],
  ["vsftpd without TLS", ftpWith(""), { protocol: "FTP", encryption: "None", detail: "(vsFTPd 3.0.3)" }],
  ["vsftpd with TLS", ftpWith(" AUTH TLS\r\n"), { protocol: "FTP", encryption: "Offered", tls }],
  [
    "a mail server that is busy",
    { greeting: "421 mail.example ESMTP too many connections\r\n" },
    { protocol: "SMTP", encryption: "Unknown" },
  ],
  ["nginx with TLS", { tls }, { protocol: "TLS", encryption: "Always", tls }],
  [
    "a TLS server that refuses us",
    { tls: "\x15\x03\x03\0\x02\x02\x28" },
    { protocol: "TLS", encryption: "Always", detail: "refuses our handshake: WRONG_VERSION_NUMBER" },
  ],
  [
    "nginx without TLS",
    { tls: "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\r\n<html>" },
    { protocol: "HTTP", encryption: "None", detail: "HTTP/1.1 400 Bad Request, nginx/1.22.1" },
  ],
  [
    "a Go server",
    http("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: id=s3cr3t\r\n\r\n"),
    { protocol: "HTTP", detail: "HTTP/1.0 200 OK" },
  ],
  [
    "a redirect to https",
    http("HTTP/1.1 301 Moved Permanently\r\nLocation: https://a.example/\r\n\r\n"),
    { protocol: "HTTP", detail: "HTTP/1.1 301 Moved Permanently, redirects to https" },
  ],
  [
    "gRPC without TLS",
    { greeting: "\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0" },
    { protocol: "HTTP", detail: "HTTP/2 without TLS" },
  ],
  ["Redis", redis, { protocol: "Redis", encryption: "None" }],
  [
    "Redis in protected mode",
    { answer: () => "-DENIED Redis is running in protected mode\r\n" },
    { protocol: "Redis" },
  ],
  ["memcached", memcached, { protocol: "memcached", encryption: "None", detail: "1.6.18" }],
  ["PostgreSQL without TLS", postgreSql("N"), { protocol: "PostgreSQL", encryption: "None" }],
  ["PostgreSQL with TLS", postgreSqlWithTls, { protocol: "PostgreSQL", encryption: "Offered", tls }],
  [
    "PostgreSQL that shuts down",
    postgreSql("E\0\0\0\x60SFATAL\0C57P03\0"),
    { protocol: "PostgreSQL", encryption: "Unknown" },
  ],
  [
    "a server of its own kind that greets",
    { greeting: "RFB 003.008\n" },
    { protocol: "Unknown", detail: "says RFB 003.008" },
  ],
  ["a server of its own kind", { answer: () => "what?\n" }, { protocol: "Unknown", detail: "answers what?" }],
  [
    "a server that says nothing",
    {},
    { protocol: "Unknown", detail: "says nothing to TLS, HTTP, memcached and PostgreSQL" },
  ],
];

it.each(servers)("recognises %s", (_, server, service) => {
  expect(talk(server).service).toMatchObject(service);
});

describe("disturbs little", () => {
  it.each([
    ["SSH", { greeting: "SSH-2.0-x\r\n" }, ["connect", "listen"]],
    ["MySQL", { greeting: mariaDb("\xfe\xff") }, ["connect", "listen"]],
    ["TLS", { tls }, ["connect", "listen", "tls"]],
    ["SMTP", smtpWith(""), ["connect", "listen", "say EHLO localhost\\r\\n", "say QUIT\\r\\n"]],
    ["FTP", ftpWith(""), ["connect", "listen", "say FEAT\\r\\n", "say QUIT\\r\\n"]],
    ["Redis", redis, ["connect", "listen", "tls", "connect", "say HEAD / HTTP/1.0\\r\\n\\r\\n"]],
  ])("%s hears no more than this", (_, server, steps) => {
    expect(talk(server).steps).toEqual(steps);
  });

  it("asks PostgreSQL in its own words first, where process or port tell, and next where a ClientHello was hung up on", () => {
    expect(talk(postgreSql("N"), "PostgreSQL").steps).toEqual(["connect", expect.stringMatching(/^say .*\\u0016\/$/)]);
    expect(talk(postgreSql("N")).steps.slice(0, 4)).toEqual(["connect", "listen", "tls", "connect"]);
    expect(talk(postgreSql("N")).steps).not.toContain("say HEAD / HTTP/1.0\\r\\n\\r\\n");
  });

  it("asks memcached in its own words first, where process or port tell, and next where it hung up on HTTP", () => {
    expect(talk(memcached, "memcached").steps).toEqual(["connect", "say version\\r\\n"]);
    expect(talk(memcached).steps.at(-1)).toBe("say version\\r\\n");
    expect(talk(memcached).steps.filter((step) => step === "connect")).toHaveLength(3);
  });

  it("leaves a server that hangs up at once", () => {
    const conversation = converse({ likely: undefined }, defaultPatience);
    conversation.next();
    conversation.next({ kind: "Connected" });
    expect(conversation.next({ kind: "Closed" })).toEqual({
      done: true,
      value: { protocol: "Unknown", encryption: "Unknown", detail: "hangs up without a word" },
    });
  });

  it("opens four connections at most, whatever it hears, and always comes to an end", () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const answer = fc.oneof<fc.Arbitrary<Answer>[]>(
      fc.constant({ kind: "Silence" }),
      fc.constant({ kind: "Closed" }),
      bytes.map((it): Answer => ({ kind: "Bytes", bytes: it })),
      bytes.map((it): Answer => ({ kind: "NoTls", bytes: it, reason: "closed" })),
    );
    const greeting = fc.constantFrom(
      "220 x\r\n",
      "220 x ESMTP\r\n",
      "\xff\xfd\x18",
      "S",
      "HTTP/1.1 200 OK\r\n\r\n",
      "ERROR\r\n",
    );
    const known = greeting.map(
      (text): Answer => ({ kind: "Bytes", bytes: Uint8Array.from(text, (it) => it.charCodeAt(0)) }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(answer, known), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(undefined, "PostgreSQL", "memcached", "SMTP"),
        (answers, likely) => {
          const conversation = converse({ likely }, defaultPatience);
          let connections = 0;
          let turn = conversation.next();
          for (let at = 0; turn.done !== true; at += 1) {
            if (turn.value.kind === "Connect") connections += 1;
            const next =
              turn.value.kind === "Connect" ? ({ kind: "Connected" } as const) : answers[at % answers.length];
            // Bytes without end are cut off at the connection's bound.
            turn = conversation.next(at > 200 || next === undefined ? { kind: "Silence" } : next);
          }
          return connections <= 4 && turn.value.detail.length <= 100;
        },
      ),
    );
  });
});

it("waits for the rest of a greeting that comes in pieces", () => {
  const greeting = ["SSH-2.", "0-slow\r\n"];
  expect(talk({ greeting }).service.detail).toBe("SSH-2.0-slow");
  const teaser = ["220-mail.example ESMTP\r\n", "220 mail.example ESMTP\r\n"];
  expect(talk({ ...smtpWith(""), greeting: teaser }).steps).toEqual([
    "connect",
    "listen",
    "listen",
    "say EHLO localhost\\r\\n",
    "say QUIT\\r\\n",
  ]);
});

it("never repeats what may be a secret of a server that it does not know", () => {
  const { service } = talk({ greeting: "token=eyJhbGciOiJIUzI1NiIsInR5cCI6 pin 1234567890123456 ok\n" });
  expect(service.detail).toBe("says *** pin *** ok");
  expect(
    talk(http("HTTP/1.0 200 OK\r\nSet-Cookie: id=s3cr3t\r\nServer: x\r\n\r\npassword")).service.detail,
  ).not.toMatch(/s3cr3t|password/);
});

it.each([
  [{ port: 5432 }, "PostgreSQL"],
  [{ port: 30432, process: "postgres" }, "PostgreSQL"],
  [{ port: 5432, process: "nginx" }, undefined],
  [{ port: 587 }, "SMTP"],
  [{ port: 11211 }, "memcached"],
  [{ port: 2222, process: "sshd" }, "Greets"],
  [{ port: 8080 }, undefined],
])("takes process, then port, as a hint: %j", (target, likely) => {
  expect(hintFor(target).likely).toBe(likely);
});
