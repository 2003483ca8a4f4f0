/** Who installs gives the rights, so nobody else need know which. */
export const RIGHTS_REMEDY =
  "the roles lack a right that the chart and deploy/ give: helm upgrade, or kubectl apply -k deploy";

/** What to do where the API server's authorizer said no, in the words of its RBAC; admission refuses with others. */
export function remedyOf({ name, message }: Error): string | undefined {
  return name === "ForbiddenError" && /\bcannot \S+ (?:resource|path) "/.test(message) ? RIGHTS_REMEDY : undefined;
}
