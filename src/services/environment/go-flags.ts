// GOFLAGS as the go command splits it, and what in it changes where modules come from.
// Source: cmd/internal/quoted Split, cmd/go/internal/base InitGOFLAGS.

import { quote } from "#protocol/quote.ts";
import { fields } from "#protocol/space.ts";

export type GoFlags = {
  /** `-mod=vendor` is `{ name: "mod", value: "vendor" }`. */
  readonly flags: readonly { readonly name: string; readonly value: string | undefined; readonly text: string }[];
  /** The first word that is no flag: go stops at it. */
  readonly fault: FlagsFault | undefined;
};

export type FlagsFault = { readonly kind: "non-flag"; readonly word: string } | { readonly kind: "quote" };

/** Words at blanks; a word that begins with a quote goes on to the next such quote. */
export function parseGoFlags(text: string): GoFlags {
  const words = split(text);
  if (words === undefined) return { flags: [], fault: { kind: "quote" } };
  const stray = words.find((word) => !/^--?[^-=]/.test(word));
  const flags = words.flatMap((word) => {
    const [, name, value] = /^--?([^-=][^=]*)(?:=([^]*))?$/.exec(word) ?? [];
    return name === undefined ? [] : [{ name, value, text: word }];
  });
  return { flags, fault: stray === undefined ? undefined : { kind: "non-flag", word: stray } };
}

/** The last of two flags counts. */
export function flagValue({ flags }: GoFlags, name: string): string | undefined {
  return flags.findLast((flag) => flag.name === name)?.value;
}

/** Go's own words. */
export function faultSentence(fault: FlagsFault): string {
  return fault.kind === "quote"
    ? "parsing $GOFLAGS: unterminated quoted string"
    : `parsing $GOFLAGS: non-flag ${quote(fault.word)}`;
}

function split(text: string): string[] | undefined {
  if (!/['"]/.test(text)) return fields(text);
  const words: string[] = [];
  const pattern = /\s*(?:"([^"]*)"|'([^']*)'|([^\s'"]\S*))/y;
  let rest = text.trim();
  while (rest !== "") {
    pattern.lastIndex = 0;
    const found = pattern.exec(rest);
    if (found === null) return undefined;
    words.push(found[1] ?? found[2] ?? found[3] ?? "");
    rest = rest.slice(pattern.lastIndex).trimStart();
  }
  return words;
}
