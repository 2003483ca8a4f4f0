/** A MicroTime: RFC 3339 with six digits, which the API server demands of a Lease (metav1.RFC3339Micro). */
export function microTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}
