// Case escaping, so that paths and versions survive file systems that ignore case: every upper-case letter becomes
// an exclamation mark and its lower-case twin (`github.com/Azure` is `github.com/!azure`).
// Source: x/mod module.EscapePath, module.UnescapePath. Only ASCII without `!` can be escaped at all.

/** Escapes `text`, or answers undefined when it holds a `!` or anything outside ASCII. */
export function escapeCase(text: string): string | undefined {
  if (/[!\u0080-\uffff]/.test(text)) return undefined;
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** Undoes escapeCase, or answers undefined when no text escapes to `escaped`. */
export function unescapeCase(escaped: string): string | undefined {
  if (!/^(?:![a-z]|[^!A-Z\u0080-\uffff])*$/.test(escaped)) return undefined;
  return escaped.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
