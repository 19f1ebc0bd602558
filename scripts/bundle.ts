// `npm run bundle`: the whole program as one file, dist/granary.mjs, that runs alone on a patched Node.

import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { build as bundle } from "esbuild";
import type { Plugin } from "esbuild";

const outfile = "dist/granary.mjs";

/** zod brings its sentences in fifty languages; ours are our own. */
const oneLocale: Plugin = {
  name: "one-locale",
  setup: (build) => {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/**
 * Node's own modules are loaded when the module that uses them is: an import of an ES module would load all of them, and for
 * node:http its whole fetch, before the first line runs.
 */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup: (build) => {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "lazy-builtin" } : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: "lazy-builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

await bundle({
  entryPoints: ["bin/granary.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  minify: false,
  legalComments: "linked",
  plugins: [oneLocale, lazyBuiltins],
  logLevel: "warning",
  define: { "globalThis.granaryBundled": "true" },
  // Packages written as CommonJS ask for require(); an ES module has none of its own.
  banner: {
    js: 'import { createRequire as granaryRequire } from "node:module";\nconst require = granaryRequire(import.meta.url);',
  },
});
writeFileSync(outfile, inAscii(readFileSync(outfile, "utf8")));
chmodSync(outfile, 0o755);
process.stdout.write(`${outfile} ${(statSync(outfile).size / 1e6).toFixed(1)} MB\n`);

/**
 * esbuild escapes other letters in strings and leaves them in regular expressions and comments, where an escape means the
 * same. A program of ASCII alone is read and compiled in a tenth less time.
 */
function inAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
