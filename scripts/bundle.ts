// `npm run bundle`: the whole program as one file, dist/granary.mjs, that runs alone on a patched Node.

import { chmodSync, statSync } from "node:fs";
import { build } from "esbuild";

const outfile = "dist/granary.mjs";
await build({
  entryPoints: ["bin/granary.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  minify: false,
  legalComments: "linked",
  logLevel: "warning",
  define: { "globalThis.granaryBundled": "true" },
  // Packages written as CommonJS ask for require(); an ES module has none of its own.
  banner: {
    js: 'import { createRequire as granaryRequire } from "node:module";\nconst require = granaryRequire(import.meta.url);',
  },
});
chmodSync(outfile, 0o755);
process.stdout.write(`${outfile} ${(statSync(outfile).size / 1e6).toFixed(1)} MB\n`);
