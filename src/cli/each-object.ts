import type { KubeClient, KubeObject, ListOptions, Resource } from "../kube/types.ts";

const PAGE = 500;

/** All objects of a kind, page by page: a cluster may have a hundred thousand pods. Throws KubeError. */
export async function* eachObject(
  client: Pick<KubeClient, "list">,
  resource: Resource,
  options: ListOptions = {},
): AsyncGenerator<KubeObject> {
  let next: string | undefined;
  do {
    const page = await client.list(resource, {
      ...options,
      limit: PAGE,
      ...(next === undefined ? {} : { continue: next }),
    });
    yield* page.items;
    next = page.continue;
  } while (next !== undefined && next !== "");
}

/** The same at once, where they are few. */
export async function allObjects(client: Pick<KubeClient, "list">, resource: Resource): Promise<KubeObject[]> {
  const all: KubeObject[] = [];
  for await (const object of eachObject(client, resource)) all.push(object);
  return all;
}
