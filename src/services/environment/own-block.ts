// Our lines in a file that belongs to the user: between two marks, so that they can be replaced and taken away again.

import { isGoRelease } from "#protocol/gover.ts";
import { exportLine } from "#services/findings/fix.ts";
import type { Values } from "./profiles.ts";

const begin = "# >>> granary >>>";
const end = "# <<< granary <<<";

/** The text with our block replaced, or added at its end. Undefined when a mark stands there without the other. */
export function withBlock(text: string, lines: readonly string[]): string | undefined {
  const block = [begin, ...lines, end].join("\n");
  const all = text.split("\n");
  const [from, to] = [all.indexOf(begin), all.indexOf(end)];
  if (from < 0 && to < 0) return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${block}\n`;
  if (from < 0 || to < from) return undefined;
  return [...all.slice(0, from), block, ...all.slice(to + 1)].join("\n");
}

/** What .envrc gets: direnv runs it with bash, whatever the user's own shell is. */
export function envrcLines(values: Values, go?: string): readonly string[] {
  return [
    // `use go` is no command of direnv's own: without a use_go it fails, and go itself can switch since 1.21.
    ...(go === undefined
      ? []
      : [
          "# A use_go of your own (goenv, asdf) goes first; else go fetches this version itself.",
          `if declare -F use_go >/dev/null; then use go ${go}; else export GOTOOLCHAIN=${toolchainOf(go)}; fi`,
        ]),
    ...Object.entries(values).map(([name, value]) => exportLine(name, value, "bash")),
  ];
}

/** What GOTOOLCHAIN calls a version: since 1.21 a release has three numbers, `1.21` alone is a language version. */
export function toolchainOf(version: string): string {
  return isGoRelease(version) ? `go${version}` : `go${version}.0`;
}
