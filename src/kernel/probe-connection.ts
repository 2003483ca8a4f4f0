import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { type TLSSocket, connect as tlsConnect } from "node:tls";

/** What arrives beyond this is more than a probe asks for. */
const MAXIMUM_BYTES = 65_536;
/** For a close_notify to get out. */
const GOODBYE_MILLISECONDS = 100;

type Received = { kind: "Bytes"; bytes: Uint8Array } | { kind: "Silence" } | { kind: "Closed" };

/** Opens a TCP connection for a probe. Throws with the kernel's word (ECONNREFUSED) or where it does not stand in time. */
export async function openProbeConnection({
  address,
  port,
  timeoutMilliseconds,
  signal,
}: {
  readonly address: string;
  readonly port: number;
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal;
}) {
  const socket = connect({ host: address, port, noDelay: true });
  await connected(socket, timeoutMilliseconds, signal);
  signal.addEventListener("abort", () => socket.destroy(), { once: true });
  return probeConnection(socket);
}

function connected(socket: Socket, timeoutMilliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new Error(`no connection within ${timeoutMilliseconds} ms`)),
      timeoutMilliseconds,
    );
    const aborted = () => fail(new Error("the probe was ended"));
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.off("error", fail);
    };
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      // Errors from here on end the connection, which is all that a probe needs to know.
      socket.on("error", () => undefined);
      resolve();
    });
  });
}

function probeConnection(socket: Socket) {
  let arrived: Buffer[] = [];
  let received = 0;
  let sent = 0;
  let ended = false;
  let wake: () => void = () => undefined;
  /** Set once TLS took over. */
  let tlsInput: Duplex | undefined;
  let secure: TLSSocket | undefined;

  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > MAXIMUM_BYTES) socket.destroy();
    tlsInput?.push(chunk);
    if (secure === undefined) arrived.push(chunk);
    wake();
  });
  for (const event of ["end", "close"]) {
    socket.on(event, () => {
      ended = true;
      tlsInput?.push(null);
      wake();
    });
  }
  const write = (bytes: Uint8Array) => {
    sent += bytes.length;
    if (socket.writable) socket.write(bytes);
  };
  const taken = () => {
    const bytes = Buffer.concat(arrived);
    arrived = [];
    return bytes;
  };

  return {
    send(bytes: Uint8Array): void {
      if (secure === undefined) write(bytes);
      else secure.write(bytes);
    },

    async receive(forMilliseconds: number): Promise<Received> {
      if (arrived.length === 0 && !ended && forMilliseconds > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, forMilliseconds);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      if (arrived.length > 0) return { kind: "Bytes", bytes: taken() };
      return { kind: ended ? "Closed" : "Silence" };
    },

    async startTls(forMilliseconds: number) {
      taken();
      // Between socket and TLS, to see what a server says that does not speak it.
      tlsInput = new Duplex({
        read: () => undefined,
        write(chunk: Buffer, _encoding, done) {
          write(chunk);
          done();
        },
      });
      const result = await handshake(tlsInput, forMilliseconds);
      if (result.kind === "Tls") {
        secure = result.socket;
        arrived = [];
        return { kind: "Tls" as const, tls: result.tls };
      }
      tlsInput = undefined;
      return {
        kind: "NoTls" as const,
        bytes: taken(),
        reason: ended && result.reason === "" ? "closed" : result.reason,
      };
    },

    get sent(): number {
      return sent;
    },
    get received(): number {
      return received;
    },

    close(): void {
      // Says goodbye (close_notify, FIN) and does not wait for the answer.
      const leave = () => socket.destroySoon();
      if (secure === undefined) return leave();
      secure.end(leave);
      setTimeout(leave, GOODBYE_MILLISECONDS);
    },
  };
}

type Handshake =
  | { readonly kind: "Tls"; readonly socket: TLSSocket; readonly tls: TlsFacts }
  | { readonly kind: "NoTls"; readonly reason: string };

interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
  readonly certificate:
    | { readonly subject: string; readonly issuer: string; readonly notAfter: number; readonly selfSigned: boolean }
    | undefined;
}

/** A handshake that takes what the server has, however old or unverified: to see it is what it is for. No data follows. */
function handshake(socket: Duplex, forMilliseconds: number): Promise<Handshake> {
  return new Promise((resolve) => {
    const secure = tlsConnect({
      socket,
      rejectUnauthorized: false,
      minVersion: "TLSv1",
      // TLS 1.0 and 1.1 need a level at which OpenSSL 3 allows SHA-1.
      ciphers: "DEFAULT:@SECLEVEL=0",
      // Without post-quantum shares, which make a ClientHello of two packets that old servers cannot read.
      ecdhCurve: "X25519:P-256:P-384:P-521",
    });
    const finish = (result: Handshake) => {
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(
      () => finish({ kind: "NoTls", reason: `no answer within ${forMilliseconds} ms` }),
      forMilliseconds,
    );
    secure.once("secureConnect", () => finish({ kind: "Tls", socket: secure, tls: factsOf(secure) }));
    secure.on("error", (error: Error & { code?: string }) => {
      // A server that insists on a client certificate shows its own before it refuses us.
      const tls = factsOf(secure);
      if (tls.certificate !== undefined) finish({ kind: "Tls", socket: secure, tls });
      else finish({ kind: "NoTls", reason: reasonOf(error) });
    });
    secure.once("close", () => finish({ kind: "NoTls", reason: "" }));
  });
}

function factsOf(secure: TLSSocket): TlsFacts {
  const certificate = secure.getPeerX509Certificate();
  return {
    version: secure.getProtocol() ?? "unknown",
    cipher: secure.getCipher()?.standardName ?? "unknown",
    certificate: certificate && {
      subject: certificate.subject?.replaceAll("\n", ", ") ?? "",
      issuer: certificate.issuer?.replaceAll("\n", ", ") ?? "",
      notAfter: Date.parse(certificate.validTo),
      selfSigned: certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey),
    },
  };
}

/** `TLSV1_ALERT_PROTOCOL_VERSION` and the like; nothing where the connection just ended. */
function reasonOf(error: Error & { readonly code?: string }): string {
  if (error.code === "ECONNRESET" || error.code === "EPIPE") return "";
  return error.code?.replace(/^ERR_SSL_/, "") ?? error.message;
}
