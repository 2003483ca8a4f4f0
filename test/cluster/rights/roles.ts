import { text } from "node:stream/consumers";
import { loadKubeConfig } from "../../../src/kube/kube-config.ts";
import { transport } from "../../../src/kube/transport.ts";
import type { KubeClient, KubeObject, Resource } from "../../../src/kube/types.ts";
import { waitFor } from "../../lab/wait-for.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Role extends KubeObject {
  readonly rules?: readonly Rule[];
}

interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: "Role" | "ClusterRole"; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

/** One verb on one resource, as one role gives it. */
export interface Right {
  /** `watch nodes`, `patch porthardeningpolicies/status`, `get leases port-hardening-controller`. */
  readonly text: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
  /** The only object that it is for. */
  readonly object?: string;
  readonly role: { readonly resource: Resource; readonly namespace?: string; readonly name: string };
}

export type RoleName = Right["role"];

/** What takes somebody's rights away one by one. */
export interface Roles {
  /** Those that the roles give. */
  readonly rights: readonly Right[];
  /** Resolves when the API server refuses it to the user; throws where something else still gives it. */
  withdraw(right: Right): Promise<void>;
  /** Resolves when the API server grants it again. */
  giveBack(right: Right): Promise<void>;
  close(): Promise<void>;
}

export interface Holder {
  /** As the authorizer knows it. */
  readonly user: string;
  /** That give it its rights, directly or by aggregation. */
  readonly roles: readonly RoleName[];
}

const clusterRoles = rbac("clusterroles", "ClusterRole", false);
const roles = rbac("roles", "Role", true);
const clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", false);
const roleBindings = rbac("rolebindings", "RoleBinding", true);

function rbac(plural: string, kind: string, namespaced: boolean): Resource {
  return { group: "rbac.authorization.k8s.io", version: "v1", plural, kind, namespaced };
}

export function clusterRole(name: string): RoleName {
  return { resource: clusterRoles, name };
}

/** The service account of the operator's namespace, with all roles that are bound to it. */
export async function serviceAccount(name: string, admin: KubeClient): Promise<Holder> {
  const namespace = "port-hardening";
  const bindings: Binding[] = [];
  for (const resource of [clusterRoleBindings, roleBindings]) {
    bindings.push(...((await admin.list(resource, {})).items as Binding[]));
  }
  const ours = bindings.filter(({ subjects = [] }) =>
    subjects.some((it) => it.kind === "ServiceAccount" && it.name === name && it.namespace === namespace),
  );
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    roles: ours.map(({ metadata, roleRef }) => {
      if (roleRef.kind === "ClusterRole") return clusterRole(roleRef.name);
      return { resource: roles, name: roleRef.name, namespace: metadata.namespace ?? "" };
    }),
  };
}

/** `kubeconfig`, and `admin` with it: an administrator's. */
export async function rolesOf({ user, roles: names }: Holder, admin: KubeClient, kubeconfig: string): Promise<Roles> {
  const { send, close } = transport(loadKubeConfig(kubeconfig), "rights");
  const rights: Right[] = [];
  for (const role of names) {
    const there: Role | undefined = await admin.get(role.resource, role);
    if (there === undefined) throw new Error(`${role.resource.kind} ${role.name} is not there`);
    rights.push(...rightsOf(there.rules ?? [], role));
  }

  async function granted({ verb, group, resource: plural, object, role }: Right): Promise<boolean> {
    const [resource = "", subresource = ""] = plural.split("/");
    const { namespace = "" } = role;
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user,
        resourceAttributes: { verb, group, resource, subresource, namespace, name: object ?? "" },
      },
    };
    const answer = await send({
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      body: JSON.stringify(review),
      contentType: "application/json",
      signal: AbortSignal.timeout(10_000),
    });
    const { status } = JSON.parse(await text(answer)) as { status: { allowed: boolean } };
    return status.allowed;
  }

  const missing = new Set<Right>();
  async function become(right: Right, wanted: boolean): Promise<void> {
    const { role } = right;
    if (wanted) missing.delete(right);
    else missing.add(right);
    const rules = rights.filter((one) => one.role === role && !missing.has(one)).map(ruleOf);
    const { metadata } = (await admin.get(role.resource, role)) ?? { metadata: { name: role.name } };
    const { kind, group, version } = role.resource;
    const object: Role = { apiVersion: `${group}/${version}`, kind, metadata, rules };
    await admin.replace(role.resource, object);
    await waitFor(
      `the API server to ${wanted ? "grant" : "refuse"} ${user} to ${right.text}`,
      async () => ((await granted(right)) === wanted ? true : undefined),
      { timeoutMilliseconds: 30_000, intervalMilliseconds: 10 },
    );
  }

  return {
    rights,
    withdraw: (right) => become(right, false),
    giveBack: (right) => become(right, true),
    close: async () => close(),
  };
}

function rightsOf(rules: readonly Rule[], role: Right["role"]): Right[] {
  return rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        (resourceNames ?? [undefined]).flatMap((object) =>
          verbs.map((verb) => {
            const text = [verb, resource, ...(object === undefined ? [] : [object])].join(" ");
            return { text, verb, group, resource, role, ...(object === undefined ? {} : { object }) };
          }),
        ),
      ),
    ),
  );
}

function ruleOf({ verb, group, resource, object }: Right): Rule {
  const names = object === undefined ? {} : { resourceNames: [object] };
  return { apiGroups: [group], resources: [resource], verbs: [verb], ...names };
}
