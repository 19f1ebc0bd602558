// The comma-separated globs of GOPRIVATE, GONOPROXY and GONOSUMDB: `*.corp.example,github.com/org`.
// Source: x/mod module.MatchPrefixPatterns over path.Match. Nothing is trimmed but one trailing slash; a malformed
// glob matches nothing.

/** Whether some glob matches the leading elements of `path`. */
export function matchPrefixPatterns(globs: string, path: string): boolean {
  const elements = path.split("/");
  return globsOf(globs).some((glob) => {
    const depth = glob.split("/").length;
    return depth <= elements.length && matchGlob(glob, elements.slice(0, depth).join("/"));
  });
}

/**
 * Whether `path` is a proper ancestor of what some glob matches: `git.corp` and `git.corp/team` are, of
 * `git.corp/team/*`. Asking a stranger for such a path tells it the name of the private place.
 */
export function isAncestorOfPattern(globs: string, path: string): boolean {
  const depth = path.split("/").length;
  return globsOf(globs).some((glob) => {
    const elements = glob.split("/");
    if (elements.length <= depth || parseGlob(glob) === undefined) return false;
    return matchGlob(elements.slice(0, depth).join("/"), path);
  });
}

/** False for a glob that path.Match refuses, which matches nothing. */
export function isGlob(glob: string): boolean {
  return parseGlob(glob) !== undefined;
}

function globsOf(globs: string): string[] {
  return globs
    .split(",")
    .map((glob) => glob.replace(/\/$/, ""))
    .filter((glob) => glob !== "");
}

type Range = readonly [low: number, high: number];

type Term =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly Range[] };

/** Terms that match one character each, after a star or at the very start. */
type Chunk = { readonly star: boolean; readonly terms: readonly Term[] };

/** path.Match; malformed globs match nothing. */
function matchGlob(glob: string, name: string): boolean {
  const terms = parseGlob(glob);
  if (terms === undefined) return false;
  const chars = Array.from(name);
  const chunks = chunksOf(terms);
  let at = 0;
  for (const [i, chunk] of chunks.entries()) {
    const found = place(chunk, chars, { from: at, toEnd: i === chunks.length - 1 });
    if (found === undefined) return false;
    at = found;
  }
  return at === chars.length;
}

/**
 * Places a chunk at its leftmost fit and says where it ends. Like Go it never goes back to an earlier star: what that
 * one would skip, the next one can.
 */
function place(chunk: Chunk, chars: readonly string[], use: { from: number; toEnd: boolean }): number | undefined {
  if (chunk.star && chunk.terms.length === 0) return chars.includes("/", use.from) ? undefined : chars.length;
  for (let at = use.from; ; at++) {
    const end = at + chunk.terms.length;
    if (fits(chunk.terms, chars, at) && (!use.toEnd || end === chars.length)) return end;
    if (!chunk.star || at >= chars.length || chars[at] === "/") return undefined;
  }
}

function fits(terms: readonly Term[], chars: readonly string[], at: number): boolean {
  return terms.every((term, i) => {
    const char = chars[at + i];
    return char !== undefined && fitsOne(term, char);
  });
}

function fitsOne(term: Term, char: string): boolean {
  switch (term.kind) {
    case "star":
      return false;
    case "any":
      return char !== "/";
    case "char":
      return char === term.char;
    case "class": {
      const code = char.codePointAt(0) ?? 0;
      return term.ranges.some(([low, high]) => low <= code && code <= high) !== term.negated;
    }
  }
}

function chunksOf(terms: readonly Term[]): Chunk[] {
  const chunks: { star: boolean; terms: Term[] }[] = [{ star: false, terms: [] }];
  for (const term of terms) {
    const last = chunks.at(-1);
    if (term.kind !== "star") last?.terms.push(term);
    else if (last?.star !== true || last.terms.length > 0) chunks.push({ star: true, terms: [] });
  }
  return chunks[0]?.terms.length === 0 && chunks.length > 1 ? chunks.slice(1) : chunks;
}

/** The glob's terms, or undefined when it is malformed. */
function parseGlob(glob: string): Term[] | undefined {
  const chars = Array.from(glob);
  const terms: Term[] = [];
  let at = 0;
  while (at < chars.length) {
    const step = parseTerm(chars, at);
    if (step === undefined) return undefined;
    terms.push(step.term);
    at = step.next;
  }
  return terms;
}

function parseTerm(chars: readonly string[], at: number): { term: Term; next: number } | undefined {
  const char = chars[at];
  if (char === undefined) return undefined;
  if (char === "*") return { term: { kind: "star" }, next: at + 1 };
  if (char === "?") return { term: { kind: "any" }, next: at + 1 };
  if (char === "[") return parseClass(chars, at + 1);
  if (char !== "\\") return { term: { kind: "char", char }, next: at + 1 };
  const escaped = chars[at + 1];
  return escaped === undefined ? undefined : { term: { kind: "char", char: escaped }, next: at + 2 };
}

/** A class from after its `[` to after its `]`; it holds at least one range and is closed. */
function parseClass(chars: readonly string[], start: number): { term: Term; next: number } | undefined {
  const negated = chars[start] === "^";
  const ranges: Range[] = [];
  let at = negated ? start + 1 : start;
  while (chars[at] !== "]" || ranges.length === 0) {
    const low = parseClassChar(chars, at);
    if (low === undefined) return undefined;
    const high = chars[low.next] === "-" ? parseClassChar(chars, low.next + 1) : low;
    if (high === undefined) return undefined;
    ranges.push([low.code, high.code]);
    at = high.next;
  }
  return { term: { kind: "class", negated, ranges }, next: at + 1 };
}

function parseClassChar(chars: readonly string[], at: number): { code: number; next: number } | undefined {
  if (chars[at] === "-" || chars[at] === "]") return undefined;
  const from = chars[at] === "\\" ? at + 1 : at;
  const char = chars[from];
  if (char?.isWellFormed() !== true || from + 1 >= chars.length) return undefined;
  return { code: char.codePointAt(0) ?? 0, next: from + 1 };
}
