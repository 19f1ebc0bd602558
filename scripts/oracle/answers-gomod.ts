// go.mod files.

import { hashGoMod } from "#protocol/dirhash.ts";
import { autoQuote, modulePathOf, parseGoMod } from "#protocol/gomod.ts";
import type { GoMod } from "#protocol/gomod.ts";
import { bytesOf, orNull } from "./answers.ts";
import type { Answers } from "./answers.ts";

export const goModAnswers: Answers = {
  gomod: (input) => {
    const bytes = bytesOf(input);
    return {
      strict: orNull(() => fieldsOf(parseGoMod(bytes))),
      lax: orNull(() => fieldsOf(parseGoMod(bytes, { lax: true }))),
      path: modulePathOf(bytes),
    };
  },
  quote: (input) => autoQuote(input as string),
  "gomod-hash": (input) => hashGoMod(bytesOf(input)),
};

function fieldsOf(mod: GoMod): unknown {
  return {
    path: mod.path ?? null,
    deprecated: mod.deprecated,
    go: mod.go ?? null,
    toolchain: mod.toolchain ?? null,
    godebug: mod.godebug.map(({ key, value }) => [key, value]),
    require: mod.require.map(({ path, version, indirect }) => [path, version, indirect]),
    exclude: mod.exclude.map(({ path, version }) => [path, version]),
    replace: mod.replace.map(({ old, new: to }) => [old.path, old.version, to.path, to.version]),
    retract: mod.retract.map(({ low, high, rationale }) => [low, high, rationale]),
    tool: mod.tool,
    ignore: mod.ignore,
  };
}
