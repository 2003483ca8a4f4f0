/** Annotation of a Node: "true" has the operator leave the node alone and clear it. */
export const SKIP_ANNOTATION = "porthardening.io/skip";
