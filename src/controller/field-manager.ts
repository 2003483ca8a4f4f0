/** Under this name the controller owns what it applies (server-side apply). */
export const FIELD_MANAGER = "port-hardening-controller";
