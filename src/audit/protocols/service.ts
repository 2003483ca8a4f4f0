/** What a TLS handshake showed. */
export interface TlsSeen {
  /** The version that was agreed, the server's best of 1.0 to 1.3: `TLSv1.3`. */
  readonly version: string;
  /** `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Undefined where the handshake ended before there was one. */
  readonly certificate: CertificateSeen | undefined;
}

export interface CertificateSeen {
  /** `CN=www.example.com`. */
  readonly subject: string;
  readonly issuer: string;
  /** Ms since 1970. */
  readonly notAfter: number;
  /** Signed with its own key. */
  readonly selfSigned: boolean;
}

export type Protocol =
  | "TLS"
  | "SSH"
  | "HTTP"
  | "FTP"
  | "Telnet"
  | "SMTP"
  | "Redis"
  | "memcached"
  | "MySQL"
  | "PostgreSQL"
  | "Unknown";

/** What answers on a port. */
export interface Service {
  readonly protocol: Protocol;
  /** `Offered` starts in plain text and can change to TLS (StartTLS): whether clients do so is theirs. */
  readonly encryption: "Always" | "Offered" | "None" | "Unknown";
  /** In the server's words, printable, at most 80 characters: `OpenSSH_9.2p1`, `HTTP/1.1 200 OK, nginx/1.22.1`. */
  readonly detail: string;
  readonly tls?: TlsSeen;
}
