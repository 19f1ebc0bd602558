// `npm run bundle`: the program as one file, dist/granary.mjs, that runs alone on a patched Node, and beside it in
// dist/drivers the clients of services that few need (S3, Redis, PostgreSQL), each loaded when it is configured.

import { chmodSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build as bundle } from "esbuild";
import type { BuildOptions, Plugin } from "esbuild";

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

/** Packages that are none of the program's file: `src/adapters/…/_driver-NAME.ts` says all of one again and has nothing of ours. */
const drivers = globSync("src/adapters/**/_driver-*.ts");

const driversApart: Plugin = {
  name: "drivers-apart",
  setup: (build) => {
    build.onResolve({ filter: /[\\/]_driver-[a-z0-9-]+\.ts$/ }, ({ path, kind }) => {
      if (kind === "dynamic-import") return { path: `./drivers/${nameOf(path)}.mjs`, external: true };
      return kind === "entry-point" ? undefined : { errors: [{ text: `${path} must be loaded with import()` }] };
    });
  },
};

function nameOf(driver: string): string {
  return basename(driver, ".ts").slice("_driver-".length);
}

const common: BuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  minify: false,
  legalComments: "linked",
  plugins: [oneLocale, lazyBuiltins, driversApart],
  logLevel: "warning",
  define: { "globalThis.granaryBundled": "true" },
  // Packages written as CommonJS ask for require(); an ES module has none of its own.
  banner: {
    js: 'import { createRequire as granaryRequire } from "node:module";\nconst require = granaryRequire(import.meta.url);',
  },
};
const driverFiles = drivers.map((driver) => ({ from: driver, to: `dist/drivers/${nameOf(driver)}.mjs` }));
await bundle({ ...common, entryPoints: ["bin/granary.ts"], outfile });
for (const { from, to } of driverFiles) await bundle({ ...common, minify: true, entryPoints: [from], outfile: to });
chmodSync(outfile, 0o755);
for (const file of [outfile, ...driverFiles.map(({ to }) => to)]) {
  writeFileSync(file, inAscii(readFileSync(file, "utf8")));
  process.stdout.write(`${file} ${(statSync(file).size / 1e6).toFixed(1)} MB\n`);
}

/**
 * esbuild escapes other letters in strings and leaves them in regular expressions and comments, where an escape means the
 * same. A program of ASCII alone is read and compiled in a tenth less time.
 */
function inAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
