import type { KubeClient, KubeObject, Resource } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";

/** Each is given the name of what it makes or looks at. */
export type Step<Place> = (place: Place, name: string) => Promise<unknown>;
export type Look<Place> = (place: Place, name: string) => Promise<boolean>;

/** A number for each name that `lose` gives, for addresses and ranges that nothing else has; at most 250. */
export function serialOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0]) + (name.endsWith("-again") ? 100 : 0);
}

export async function until<Place>(look: Look<Place>, place: Place, name: string): Promise<void> {
  const probe = async () => ((await look(place, name)) ? true : undefined);
  await waitFor(look.name, probe, { timeoutMilliseconds: 60_000 });
}

/** The steps one after the other; a look is waited for. */
export function inTurn<Place>(...parts: readonly (Step<Place> | { readonly until: Look<Place> })[]): Step<Place> {
  return async (place, name) => {
    for (const part of parts) {
      if (typeof part === "function") await part(place, name);
      else await until(part.until, place, name);
    }
  };
}

export function not<Place>(look: Look<Place>): Look<Place> {
  return async (place, name) => !(await look(place, name));
}

/** Makes an object; `make` says all but its kind. */
export function create(resource: Resource, make: (name: string) => object): Step<{ readonly admin: KubeClient }> {
  const { group, version, kind } = resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  return ({ admin }, name) => admin.create(resource, { apiVersion, kind, ...make(name) } as KubeObject);
}
