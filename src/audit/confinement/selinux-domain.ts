/**
 * Domains of the targeted policy that may do everything (attribute unconfined_domain_type) and in which a network service may
 * come to run. Others of them are known by their names: unconfined_t, unconfined_service_t, samba_unconfined_net_t.
 */
const UNCONFINED = new Set([
  "cloud_init_t",
  "cluster_t",
  "crond_t",
  "inetd_child_t",
  "inetd_t",
  "initrc_t",
  "kernel_t",
  "openwsman_t",
  "puppetagent_t",
  "rpm_script_t",
  "rpm_t",
  // Privileged containers (container-selinux).
  "spc_t",
  "system_cronjob_t",
  "tomcat_t",
  "vmtools_t",
]);

/** The type in a context `user:role:type[:level]`. */
export function domainOf(context: string): string | undefined {
  return context.split(":")[2];
}

export function isUnconfinedDomain(domain: string): boolean {
  return UNCONFINED.has(domain) || /(?:^|_)unconfined(?:_|$)/.test(domain);
}
