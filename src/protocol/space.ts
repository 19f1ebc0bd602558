// What Go takes for white space (unicode.IsSpace). JavaScript's \s counts U+FEFF in and U+0085 out.

const space = "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const leading = new RegExp(`^[${space}]+`);
const word = new RegExp(`[^${space}]+`, "g");
const blank = new RegExp(`[${space}]`);

/** strings.TrimSpace. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && blank.test(text.charAt(end - 1))) end--;
  return text.slice(0, end).replace(leading, "");
}

/** strings.Fields: the words between the white space. */
export function fields(text: string): string[] {
  return text.match(word) ?? [];
}
