import type { HostView } from "../host-view.ts";
import { isSecuritySuite } from "./apt-list.ts";

const LISTS = "/var/lib/apt/lists";

/** A package list as its archive signed it. */
export interface SignedList {
  readonly suite: string;
  /** When the archive signed it, ms since 1970. */
  readonly signedAt: number;
}

/**
 * The lists of security suites that the host has. Their age is the archive's own date: a file's time tells when somebody
 * tried, which an unreachable or frozen mirror does not prevent. Security archives sign anew every few days at least
 * (Debian's are valid for seven), so an old date means an old list.
 */
export async function readSecurityLists(
  host: HostView,
): Promise<{ readonly all: number; readonly security: SignedList[] }> {
  const names = (await host.readFolder(LISTS)) ?? [];
  const releases = names.filter((name) => /_(?:In)?Release$/.test(name)).toSorted();
  const security: SignedList[] = [];
  for (const name of releases) {
    const list = parseRelease((await host.readFile(`${LISTS}/${name}`)) ?? "");
    if (list !== undefined && isSecuritySuite(list.suite)) security.push(list);
  }
  return { all: releases.length, security };
}

/** The head of a Release file; undefined where it names no suite or date. */
export function parseRelease(text: string): SignedList | undefined {
  const head = text.slice(0, 8_192);
  const suite = /^Suite: *(\S+)/m.exec(head)?.[1] ?? /^Codename: *(\S+)/m.exec(head)?.[1];
  const signedAt = Date.parse(/^Date: *(.+)$/m.exec(head)?.[1] ?? "");
  return suite === undefined || Number.isNaN(signedAt) ? undefined : { suite, signedAt };
}
