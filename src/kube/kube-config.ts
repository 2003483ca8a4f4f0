// Not the package's index: unbundled that takes 0.2 s longer to load, for clients of which none is used here.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";

/** From `file` where it is given; else $KUBECONFIG, ~/.kube/config, or the pod's service account. Throws where it is malformed. */
export function loadKubeConfig(file?: string): KubeConfig {
  const config = new KubeConfig();
  if (file === undefined) config.loadFromDefault();
  else config.loadFromFile(file);
  return config;
}
