// Trusted files: the newest proven heads of databases, as text that people can read, mail and keep under version
// control.
//
//     granary trusted heads v1
//     # a remark
//
//     key: NAME+HASH+BASE64
//     head:
//     | the lines of the signed note, each behind a bar

import { ProtocolError } from "#protocol/errors.ts";
import { maxKeyLength } from "#protocol/note-key.ts";
import { parseVerifierKey } from "#protocol/note.ts";

/** A head that somebody trusts: whether it is signed and consistent is another question. */
export type Pin = {
  /** The full verifier key. */
  readonly key: string;
  /** The database's name, from the key. */
  readonly database: string;
  /** The signed note. */
  readonly note: string;
};

/** Some hundred databases; a head has 200 bytes. */
export const maxTrustedBytes = 4 * 1024 * 1024;

export const trustedFirstLine = "granary trusted heads v1";

/** The form that a line should have had. */
export const trustedForms = {
  version: trustedFirstLine,
  key: "key: NAME+HASH+BASE64",
  head: "head:",
  note: "| LINE OF THE SIGNED NOTE",
} as const;

/** Why a text is no trusted file: the first line that is wrong, counted from 1. */
export class BadTrustedFile extends Error {
  override readonly name = "BadTrustedFile";
  readonly line: number;
  readonly found: string;
  readonly accepted: string;

  constructor(line: number, found: string, accepted: string) {
    super(`line ${line}: not ${accepted}`);
    this.line = line;
    this.found = found;
    this.accepted = accepted;
  }
}

/** @param remarks lines for people, without the `#` */
export function formatTrusted(pins: readonly Pin[], remarks: readonly string[]): string {
  const blocks = pins.map(({ key, note }) => {
    const lines = note.replace(/\n$/, "").split("\n");
    return `\nkey: ${key}\nhead:\n${lines.map((line) => `${line === "" ? "|" : `| ${line}`}\n`).join("")}`;
  });
  return `${trustedFirstLine}\n${remarks.map((remark) => `# ${remark}\n`).join("")}${blocks.join("")}`;
}

/** The pins of a trusted file, at least one. Throws BadTrustedFile. */
export function parseTrusted(text: string): Pin[] {
  const lines = text.replace(/\r?\n?$/, "").split(/\r?\n/);
  const refuse = (at: number, form: keyof typeof trustedForms): BadTrustedFile =>
    new BadTrustedFile(at + 1, lines[at] ?? "", trustedForms[form]);
  if (lines[0] !== trustedFirstLine) throw refuse(0, "version");
  const pins: Pin[] = [];
  let at = 1;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.trim() === "" || line.startsWith("#")) continue;
    const key = keyIn(line);
    if (key === undefined) throw refuse(at, "key");
    if (lines[at + 1]?.trimEnd() !== trustedForms.head) throw refuse(at + 1, "head");
    const note: string[] = [];
    while (lines[at + 2 + note.length]?.startsWith("|") === true)
      note.push((lines[at + 2 + note.length] ?? "").replace(/^\| ?/, ""));
    if (note.length === 0) throw refuse(at + 2, "note");
    pins.push({ ...key, note: note.map((each) => `${each}\n`).join("") });
    at += 1 + note.length;
  }
  if (pins.length === 0) throw refuse(lines.length, "key");
  return pins;
}

function keyIn(line: string): Pick<Pin, "key" | "database"> | undefined {
  const key = /^key: (\S+)\s*$/.exec(line)?.[1];
  if (key === undefined || key.length > maxKeyLength) return undefined;
  try {
    return { key, database: parseVerifierKey(key).name };
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
