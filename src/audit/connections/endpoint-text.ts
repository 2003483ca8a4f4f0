import type { Endpoint } from "../sockets.ts";

/** `192.0.2.7:443`, `[2001:db8::7]:443`. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
