/** The Lease that controllers of one namespace elect their leader by. */
export const LEADER_LEASE = "port-hardening-controller";
