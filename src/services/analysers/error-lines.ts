// A log as lines that patterns can read: without colours and other terminal controls, without what CI systems, docker and
// loggers put in front. Tabs at the beginning are kept as a fact: go indents what belongs to the line above.

/** Of a longer text the end is read: errors stand there. The whole log of a large build has some 10 MiB. */
export const maxLogChars = 16 * 1024 * 1024;
/** go's longest lines are a URL and a reason; what is longer is cut. */
const maxLineChars = 2_000;
/** Prefixes upon prefixes: a date of the CI system, one of docker, a step. */
const maxPrefixes = 6;

export type LogLine = {
  /** From 1, in the text as it was given. */
  readonly number: number;
  readonly text: string;
  readonly isIndented: boolean;
};

const escape = String.fromCharCode(27);
const bell = String.fromCharCode(7);
const controls = new RegExp(
  `${escape}\\[[0-?]{0,200}[ -/]{0,20}[@-~]?|${escape}\\][^${escape}${bell}]{0,2000}(?:${bell}|${escape}\\\\)?|${escape}.?`,
  "gu",
);
/** Whatever a terminal obeys, the marks that turn the reading direction included; a tab stays. */
const unprintable = /(?!\t)[\p{Cc}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** One space at most is taken with a prefix: a tab behind it belongs to the line. */
const prefixes: readonly RegExp[] = [
  /^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?(?: |$)/,
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?(?: |$)/,
  // GitLab: which stream, and whether the line goes on.
  /^\d\d[OE][ +]/,
  // BuildKit: `#12 3.456 `, `#12 ERROR: `.
  /^#\d{1,4} (?:\d{1,6}\.\d{1,4} |ERROR: )?/,
  /^##\[\w{1,20}\]/,
  /^::(?:error|warning|notice|debug)[^:\n]{0,200}::/,
  // docker compose.
  /^[A-Za-z][\w.-]{0,60} {0,40}\| ?/,
  // klog, and journald.
  /^[EWIF]\d{4} \d\d:\d\d:\d\d\.\d{1,9} {1,8}\d{1,9} [\w.-]{1,80}:\d{1,6}\] /,
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,64} [^\s:]{1,64}: /,
  /^\[[A-Za-z][\w /.-]{0,40}\] /,
  /^(?:ERROR|WARN|WARNING|INFO|DEBUG)[: ] ?/,
  /^(?:remote|stderr): /,
  /^> /,
];

/** The lines of a text, or of its end. */
export function* logLines(text: string): Generator<LogLine> {
  const start = text.length <= maxLogChars ? 0 : text.indexOf("\n", text.length - maxLogChars) + 1;
  let number = start === 0 ? 1 : countLines(text, start);
  for (let at = start; at <= text.length; number++) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    // What a progress bar wrote over itself was not meant to stay.
    for (const piece of text.slice(at, Math.min(stop, at + maxLineChars * 4)).split("\r")) {
      const line = cleaned(piece, number);
      if (line.text !== "") yield line;
    }
    at = stop + 1;
  }
}

function countLines(text: string, end: number): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

function cleaned(raw: string, number: number): LogLine {
  let text = raw.includes(escape) ? raw.replace(controls, "") : raw;
  text = text.replace(unprintable, "").slice(0, maxLineChars);
  for (let taken = 0; taken < maxPrefixes; taken++) {
    const prefix = prefixes.find((each) => each.test(text));
    if (prefix === undefined) break;
    text = text.replace(prefix, "");
  }
  return { number, text: text.trim().replaceAll("\t", " "), isIndented: /^[\t ]/.test(text) };
}
