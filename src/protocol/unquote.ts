// Go's string literals, as go.mod files quote them: `"a b"`, `"\u4e16"`, and in raw form between back quotes.
// Source: Go strconv.Unquote, strconv.IsPrint.

/** Graphic characters and the ASCII space (unicode.IsPrint); the runtimes' Unicode versions may differ slightly. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  "\\": 0x5c,
  '"': 0x22,
};

const numericEscape = /([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y;

/** unicode.IsPrint of one character. */
export function isPrint(char: string): boolean {
  return printable.test(char);
}

/** The text that a literal in double or back quotes stands for; undefined when it is no such literal. */
export function unquote(literal: string): string | undefined {
  const mark = literal.charAt(0);
  if (literal.length < 2 || literal.at(-1) !== mark) return undefined;
  const body = literal.slice(1, -1);
  if (mark === "`") return body.includes("`") ? undefined : body.replaceAll("\r", "");
  return mark === '"' ? unescapeBody(body) : undefined;
}

// \x and octal escapes name bytes, which together may spell one character: so the pieces are bytes.
function unescapeBody(body: string): string | undefined {
  if (!body.includes("\\")) return /["\n]/.test(body) ? undefined : body;
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < body.length) {
    const stop = nextBackslash(body, at);
    const plain = body.slice(at, stop);
    if (/["\n]/.test(plain)) return undefined;
    parts.push(Buffer.from(plain));
    if (stop === body.length) break;
    const escape = readEscape(body, stop + 1);
    if (escape === undefined) return undefined;
    parts.push(escape.bytes);
    at = escape.next;
  }
  return Buffer.concat(parts).toString();
}

function nextBackslash(body: string, from: number): number {
  const found = body.indexOf("\\", from);
  return found < 0 ? body.length : found;
}

function readEscape(body: string, at: number): { bytes: Uint8Array; next: number } | undefined {
  const simple = simpleEscapes[body.charAt(at)];
  if (simple !== undefined) return { bytes: Uint8Array.of(simple), next: at + 1 };

  numericEscape.lastIndex = at;
  const [all, octal, hex, short, long] = numericEscape.exec(body) ?? [];
  if (all === undefined) return undefined;
  const next = at + all.length;
  const byte = octal === undefined ? parseInt(hex ?? "", 16) : parseInt(octal, 8);
  if (!Number.isNaN(byte)) return byte > 0xff ? undefined : { bytes: Uint8Array.of(byte), next };
  const code = parseInt(short ?? long ?? "", 16);
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
  return { bytes: Buffer.from(String.fromCodePoint(code)), next };
}
