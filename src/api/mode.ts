export const MODES = ["Enforce", "Observe"] as const;

export const MODE_MEANING =
  "Enforce: nodes are changed to match. Observe: nothing is changed; status counts the packets that would be dropped or " +
  "let pass if the policy were enforced beside those that are, and names the settings that would differ. Required, so " +
  "that nothing is enforced by accident.";

export type Mode = (typeof MODES)[number];
