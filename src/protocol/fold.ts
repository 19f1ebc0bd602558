// Unicode simple folding, as x/mod zip.strToFold: names that fold to the same text collide on file systems that
// ignore case. For example `K.go` (Kelvin sign), `K.go` and `k.go` are one name.

/**
 * Letters whose simple folding JavaScript's case mappings do not show: dotless i maps up to I yet folds to itself;
 * the others fold only since Unicode 15.1 (CaseFolding.txt, status S).
 */
const exceptions: ReadonlyMap<string, string> = new Map([
  ["\u0131", "\u0131"],
  ["\u1fd3", "\u0390"],
  ["\u1fe3", "\u03b0"],
  ["\ufb05", "\ufb06"],
]);

/** One text for all that differ by simple case only. Which text stands for them differs from Go's; the classes do not. */
export function foldName(text: string): string {
  // toLowerCase() on pure ASCII is simple folding.
  if (isAscii(text)) return text.toLowerCase();
  return Array.from(text, foldLetter).join("");
}

function foldLetter(letter: string): string {
  const exception = exceptions.get(letter);
  if (exception !== undefined) return exception;
  const upper = simple(letter.toUpperCase(), letter);
  return simple(upper.toLowerCase(), upper);
}

/** Full mappings may yield several letters (ß to SS); simple folding never does. */
function simple(mapped: string, letter: string): string {
  return mapped.length === String.fromCodePoint(mapped.codePointAt(0) ?? 0).length ? mapped : letter;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
