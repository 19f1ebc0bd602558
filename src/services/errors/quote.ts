// Foreign text on its way to a person. The go command hides a whole answer when one character of it is not graphic
// (cmd/go/internal/web formatErrorDetail), and a terminal obeys control characters.

// Only blocks that every Unicode table since Go 1.13 knows: a rune an older `go` thinks unassigned hides the text.
const ungraphic =
  /[^\x20-\x7e\xa1-\xac\xae-\u024f\u0391-\u03a1\u03a3-\u03c9\u0410-\u044f\u2010-\u2015\u2018-\u201f\u2022\u2026\u2190-\u2199\u3001-\u301b\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3\uff01-\uff5e]/gu;

/** Foreign text longer than this is cut before any work is done on it, in UTF-16 units. */
export const maxQuoteSource = 4096;

/** `text` on one line, every character graphic, and at most `max` characters (a cut shows as `…`). */
export function quote(text: string, max: number): string {
  const plain = text.slice(0, maxQuoteSource).replace(/\s+/gu, " ").replace(ungraphic, "?").trim();
  return plain.length <= max ? plain : `${plain.slice(0, Math.max(0, max - 1))}…`;
}

/** Every string in `fields`, however deep, quoted; lists are cut to `maxItems`. */
export function quoteFields<T>(fields: T, max: number, maxItems: number): T {
  return quoteDeep(fields, max, maxItems) as T;
}

function quoteDeep(value: unknown, max: number, maxItems: number): unknown {
  if (typeof value === "string") return quote(value, max);
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => quoteDeep(item, max, maxItems));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, quoteDeep(item, max, maxItems)]));
}
