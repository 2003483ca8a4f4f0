// Bundles the program into dist/, or the folder that is given: what the image runs, as `dist/porthardening`. A bundle starts in a third of the time of
// the sources and holds half of their memory (figures: docs/figures.md). A second argument names a file for esbuild's own account of
// what went into it (a metafile).
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

const project = resolve(import.meta.dirname, "..");
const folder = resolve(process.argv[2] ?? join(project, "dist"));
const { version } = JSON.parse(await readFile(join(project, "package.json"), "utf8")) as { version: string };

/** What client-node's KubeConfig needs only for HTTP clients and proxies of its own; ours are in src/kube/transport.ts. */
const UNUSED = /^(undici|socks|socks-proxy-agent|hpagent)$/;
const STAND_IN = `
  class LeftOut { constructor() { throw new Error("left out of this bundle: see scripts/bundle.ts"); } }
  export { LeftOut as Agent, LeftOut as ProxyAgent, LeftOut as fetch, LeftOut as SocksClient, LeftOut as SocksProxyAgent,
    LeftOut as HttpProxyAgent, LeftOut as HttpsProxyAgent };
`;

/** client-node without its generated API classes and HTTP clients (measured: 20 MiB of memory). */
const leanClientNode: Plugin = {
  name: "lean-client-node",
  setup({ onLoad, onResolve, resolve: find }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === "found" || !rest.importer.includes("@kubernetes/client-node")) return undefined;
      if (UNUSED.test(path)) return { path, namespace: "left-out" };
      const found = await find(path, { ...rest, pluginData: "found" });
      // Its package does not say that its modules have no effects of their own, so all of them would stay.
      return { ...found, sideEffects: false };
    });
    onLoad({ filter: /./, namespace: "left-out" }, () => ({ contents: STAND_IN, loader: "js" }));
  },
};

await rm(folder, { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  entryPoints: [join(project, "src/main.ts")],
  outdir: folder,
  entryNames: "port-hardening",
  chunkNames: "port-hardening-[hash]",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  // One chunk a sub-command; in one single file a module that is loaded on demand could not be shaken.
  splitting: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minify: true,
  legalComments: "linked",
  define: { BUNDLED_VERSION: JSON.stringify(version) },
  // Packages in CommonJS call `require` for Node's own modules.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  plugins: [leanClientNode],
  logLevel: "warning",
});
await copyFile(join(project, "scripts/porthardening.sh"), join(folder, "porthardening"));
await copyFile(join(project, "src/guard/guard.sh"), join(folder, "guard.sh"));
if (process.argv[3] !== undefined) await writeFile(process.argv[3], JSON.stringify(metafile));
