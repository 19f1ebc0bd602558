// What a report that is pasted somewhere must not tell: credentials, and the names of the user and of private hosts.

/** One thing to hide and what to write instead. */
export type Secret = { readonly text: string; readonly instead: string };

/** `user:password@` of a URL, and of `user:password@host`; the word after Bearer and Basic; our own tokens. */
const always: readonly (readonly [RegExp, string])[] = [
  // The last @ ends it, as in go: a password may hold one.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/'"]+@/giu, "$1***@"],
  // Without a scheme, as HTTPS_PROXY and GOPROXY may have it.
  [/(^|[\s,|="'])[^\s/@,|:="']+:[^\s/@,|"']+@(?=[\w[])/gu, "$1***@"],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/giu, "$1 ***"],
  [/\bgrn_[0-9a-f]{8}_[\w-]+/gu, "grn_***"],
];

/** Without credentials, wherever they stand. */
export function withoutCredentials(text: string): string {
  return always.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
}

/** Fit to be shown to strangers. `secrets`: names that are this user's own, whole words in any case; the longest first. */
export function redact(text: string, secrets: readonly Secret[]): string {
  const ordered = secrets.filter((secret) => secret.text.length > 2).toSorted((a, b) => b.text.length - a.text.length);
  return ordered.reduce(
    (rest, { text: hidden, instead }) => rest.replace(wordOf(hidden), instead),
    withoutCredentials(text),
  );
}

/** A name as a word of its own: `lily` is not hidden in `lilypad`. GitHub writes a line's end as `%0A`. */
function wordOf(text: string): RegExp {
  return new RegExp(`(?<![\\w-](?<!%0A))${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`, "gi");
}
