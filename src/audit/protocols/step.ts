import type { Service, TlsSeen } from "./service.ts";

/** What a conversation asks of a connection next. */
export type Step =
  /** A new connection; the one before is closed. */
  | { readonly kind: "Connect" }
  | { readonly kind: "Listen"; readonly forMilliseconds: number }
  /** Sends, then listens. */
  | { readonly kind: "Send"; readonly bytes: Uint8Array; readonly forMilliseconds: number }
  /** A TLS handshake on the connection as it is. */
  | { readonly kind: "StartTls"; readonly forMilliseconds: number };

/** What came of it. */
export type Answer =
  | { readonly kind: "Connected" }
  | { readonly kind: "Bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "Silence" }
  | { readonly kind: "Closed" }
  | { readonly kind: "Tls"; readonly tls: TlsSeen }
  /** With what the server sent instead. */
  | { readonly kind: "NoTls"; readonly bytes: Uint8Array; readonly reason: string };

/** A conversation with one listener: pure, steps out and answers in, until it knows what it talks to. */
export type Conversation<T = Service> = Generator<Step, T, Answer>;

export interface Patience {
  /** A new connection must stand within this. */
  readonly connectMilliseconds: number;
  /** For servers that speak first. */
  readonly bannerMilliseconds: number;
  /** The same where process or port make such a server likely: mail servers let clients wait (Postfix's postscreen, 6 s). */
  readonly longBannerMilliseconds: number;
  readonly answerMilliseconds: number;
  readonly handshakeMilliseconds: number;
  /** All connections of one probe together. */
  readonly totalMilliseconds: number;
}

export const defaultPatience: Patience = {
  connectMilliseconds: 2_000,
  bannerMilliseconds: 1_000,
  longBannerMilliseconds: 7_000,
  answerMilliseconds: 2_000,
  handshakeMilliseconds: 3_000,
  totalMilliseconds: 20_000,
};
