// What an upstream says in an error answer, made fit to be quoted to a stranger's terminal. The rules are those by
// which `go` shows such text (web.formatErrorDetail), only shorter.

import type { UpstreamResponse } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";

/** Read of an error body; what is quoted is far shorter. */
export const maxErrorBytes = 4096;
const maxQuotedBytes = 300;
const maxQuotedLines = 8;

const plainText = /^text\/plain\s*(;\s*charset\s*=\s*"?(utf-8|us-ascii)"?\s*)?$/i;

/** Controls but for tab and line ends, format characters (they can reorder a line), private use, lone surrogates. */
const unprintable = /[^\P{C}\t\r\n]|[\u2028\u2029]/u;

/** Reads and sanitises the text of an error answer; "" when it is not fit. Consumes the body. */
export async function readQuote(response: UpstreamResponse): Promise<string> {
  try {
    if (!plainText.test(response.headers["content-type"] ?? "")) return "";
    return formatQuote(decodeText(await readStart(response)));
  } finally {
    response.cancel();
  }
}

/** The first bytes of a body; those that came before it broke count. */
async function readStart(response: UpstreamResponse): Promise<Uint8Array> {
  const start = new Uint8Array(maxErrorBytes);
  let length = 0;
  try {
    for await (const chunk of response.body) {
      const part = chunk.subarray(0, maxErrorBytes - length);
      start.set(part, length);
      length += part.length;
      if (length === maxErrorBytes) break;
    }
  } catch (error) {
    if (!(error instanceof UpstreamFault) || error.reason === "aborted") throw error;
  }
  return start.subarray(0, length);
}

function decodeText(bytes: Uint8Array): string {
  try {
    // stream: a character cut off at the cap is left out, not an error
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return ""; // not UTF-8
  }
}

/** The quotable part: up to the first blank line, 8 lines, 300 bytes; credentials in URLs are blotted out. */
export function formatQuote(text: string): string {
  if (unprintable.test(text)) return "";
  const lines = text
    .trim()
    .split(/\r\n|\r|\n/)
    .map((line) => line.trimEnd());
  const blank = lines.indexOf("");
  const kept = lines.slice(0, blank === -1 ? maxQuotedLines : Math.min(blank, maxQuotedLines)).join("\n");
  return cut(kept.replace(/\/\/[^\s/@]*@/g, "//xxxxx@"));
}

/** Cuts at a character, never inside one. */
function cut(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxQuotedBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, maxQuotedBytes - 3), { stream: true }) + "…";
}
