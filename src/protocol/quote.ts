// How Go prints foreign text inside its messages (%q): quoted, and with nothing that could move a terminal's cursor.

/** `text` in double quotes, control characters as \xNN, \uNNNN or their short names. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(/\\u00([01][0-9a-f])|[\x7f-\x9f\u2028\u2029]/g, (found: string, hex?: string) => {
    if (hex !== undefined) return hex === "0b" ? "\\v" : hex === "07" ? "\\a" : `\\x${hex}`;
    const code = found.charCodeAt(0);
    return code < 0x80 ? `\\x${code.toString(16)}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** One character in single quotes, as Go prints a rune. */
export function quoteChar(char: string): string {
  if (char === '"') return `'"'`;
  return char === "'" ? "'\\''" : `'${quote(char).slice(1, -1)}'`;
}
