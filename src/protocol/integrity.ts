// The integrity list: hashes of module versions that somebody kept and a checksum database proved, signed by whoever
// keeps them. A signed note (the head) that counts and hashes the lines, a blank line, the lines:
//
//	granary integrity list v1
//	made 2026-11-28T08:00:00.000Z
//	until 2026-11-29T08:00:00.000Z
//	lines 2
//	sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//
//	— list.example+… BASE64
//
//	example.com/m v1.0.0 h1:…
//	example.com/m v1.0.0/go.mod h1:…
//
// Lines are in ascending order of their bytes, none twice. Only the head is a note: a list may be larger than a note may.

import { createHash } from "node:crypto";
import { parseH1 } from "./dirhash.ts";
import { ProtocolError } from "./errors.ts";
import { openNote, signNote, type Signer, type Verifier } from "./note.ts";
import type { Sums } from "./record.ts";
import { checkModuleVersion, type ModuleVersion } from "./version.ts";

/** A list, head and lines: some 120,000 lines, the hashes of 60,000 versions. It is held in memory and checked at once. */
export const maxIntegrityBytes = 16 * 1024 * 1024;
/** A head: five lines and a signature or a few. */
const maxHeadBytes = 16 * 1024;
/** Nobody may be made to believe a list for longer, whatever its head says: an old one is replayed for ever otherwise. */
export const maxIntegrityAgeMs = 7 * 24 * 3_600_000;
/** Two machines' clocks differ by less. */
const maxSkewMs = 5 * 60_000;

const title = "granary integrity list v1";

/** When a list was made and until when it may be believed; milliseconds since the Unix epoch. */
export type IntegrityTimes = { readonly madeMs: number; readonly untilMs: number };

/** One line without its end. `hash` is an `h1:`. */
export function formatIntegrityLine(id: ModuleVersion, what: "mod" | "zip", hash: string): string {
  return `${keyOf(id, what)} ${hash}`;
}

/** Signs `lines`, in any order, each once. Throws RangeError when the list would be too large to be read. */
export function signIntegrityList(lines: readonly string[], times: IntegrityTimes, signer: Signer): Buffer {
  // A space sorts before all that a path or a version may hold, so that lines sort as their keys do.
  const body = Buffer.from(
    [...lines]
      .sort(byBytes)
      .map((line) => `${line}\n`)
      .join(""),
  );
  const text = [
    title,
    `made ${new Date(times.madeMs).toISOString()}`,
    `until ${new Date(times.untilMs).toISOString()}`,
    `lines ${lines.length}`,
    `sha256 ${sha256(body)}`,
    "",
  ].join("\n");
  const all = Buffer.concat([Buffer.from(`${signNote(text, [signer])}\n`), body]);
  if (all.length > maxIntegrityBytes) throw new RangeError(`the list is larger than ${maxIntegrityBytes} bytes`);
  return all;
}

export class IntegrityList {
  readonly madeMs: number;
  readonly untilMs: number;
  /** How many lines. */
  readonly size: number;
  readonly #body: Buffer;
  /** Where each line begins, and the end of the last. */
  readonly #starts: Uint32Array;

  constructor(times: IntegrityTimes, body: Buffer, starts: Uint32Array) {
    this.madeMs = times.madeMs;
    this.untilMs = times.untilMs;
    this.size = starts.length - 1;
    this.#body = body;
    this.#starts = starts;
  }

  /** What the list says of a version; nothing of what is not in it. */
  find(id: ModuleVersion): Sums {
    const zip = this.#find(keyOf(id, "zip"));
    const mod = this.#find(keyOf(id, "mod"));
    return { ...(zip !== undefined && { zip: parseH1(zip) }), ...(mod !== undefined && { mod: parseH1(mod) }) };
  }

  #find(key: string): string | undefined {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { key: found, hash } = splitLine(this.#line(middle));
      if (found === key) return hash;
      if (found < key) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  #line(at: number): string {
    return this.#body.toString("latin1", this.#starts[at], (this.#starts[at + 1] ?? 0) - 1);
  }
}

/**
 * Opens a list. Throws BAD_INTEGRITY when it is malformed, not in order, not what its head says or not of this time;
 * BAD_NOTE and NOTE_UNVERIFIED as openNote. Nothing of the lines is looked at before the head is proven.
 */
export function openIntegrityList(bytes: Uint8Array, verifier: Verifier, nowMs: number): IntegrityList {
  if (bytes.length > maxIntegrityBytes) throw bad(`longer than ${maxIntegrityBytes} bytes`);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = headEnd(all);
  const head = parseHead(openNote(all.subarray(0, end), [verifier]).text);
  const untilMs = checkTimes(head, nowMs);
  const body = all.subarray(end + 1);
  if (sha256(body) !== head.sha256) throw bad("the lines are not those that were signed");
  const starts = checkLines(body);
  if (starts.length - 1 !== head.lines) throw bad(`${starts.length - 1} lines, not ${head.lines}`);
  return new IntegrityList({ madeMs: head.madeMs, untilMs }, body, starts);
}

/** Length of the head: up to the blank line behind its signatures. */
function headEnd(all: Buffer): number {
  const front = all.subarray(0, maxHeadBytes);
  const signatures = front.indexOf("\n\n");
  const end = signatures < 0 ? -1 : front.indexOf("\n\n", signatures + 2);
  if (end < 0) throw bad("no signed head");
  return end + 1;
}

type Head = IntegrityTimes & { readonly lines: number; readonly sha256: string };

function parseHead(text: string): Head {
  const time = String.raw`(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)`;
  const form = new RegExp(
    String.raw`^${title}\nmade ${time}\nuntil ${time}\nlines (0|[1-9]\d{0,8})\nsha256 ([0-9a-f]{64})\n$`,
  );
  const [, made = "", until = "", lines = "", sum = ""] = form.exec(text) ?? [];
  const [madeMs, untilMs] = [Date.parse(made), Date.parse(until)];
  if (Number.isNaN(madeMs) || Number.isNaN(untilMs)) throw bad("the head is not of the form this program knows");
  return { madeMs, untilMs, lines: Number(lines), sha256: sum };
}

/** Until when it may be believed. */
function checkTimes({ madeMs, untilMs }: Head, nowMs: number): number {
  if (madeMs > nowMs + maxSkewMs) throw bad(`made at ${new Date(madeMs).toISOString()}, which is still to come`);
  const end = Math.min(untilMs, madeMs + maxIntegrityAgeMs);
  if (nowMs > end) throw bad(`it was good until ${new Date(end).toISOString()}`);
  return end;
}

function checkLines(body: Buffer): Uint32Array {
  if (body.length > 0 && body.at(-1) !== 0x0a) throw bad("the last line has no end");
  const starts = [0];
  let last = "";
  for (let at = 0; at < body.length;) {
    const end = body.indexOf(0x0a, at);
    const { key, hash } = checkLine(body.toString("latin1", at, end), starts.length);
    if (key <= last) throw bad(`line ${starts.length} is not in order`);
    parseH1(hash);
    last = key;
    at = end + 1;
    starts.push(at);
  }
  return Uint32Array.from(starts);
}

/** Throws BAD_INTEGRITY for a line that formatIntegrityLine would not write. */
function checkLine(line: string, number: number): { key: string; hash: string } {
  try {
    const [path = "", written = "", hash = "", more] = line.split(" ");
    const version = written.replace(/\/go\.mod$/, "");
    const id = checkModuleVersion(path, version);
    if (more === undefined && formatIntegrityLine(id, written === version ? "zip" : "mod", parseH1(hash)) === line)
      return splitLine(line);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw bad(`line ${number}: ${error.message}`);
  }
  throw bad(`line ${number} is not of the form: path version h1:hash`);
}

function splitLine(line: string): { key: string; hash: string } {
  const cut = line.lastIndexOf(" ");
  return { key: line.slice(0, cut), hash: line.slice(cut + 1) };
}

function keyOf({ path, version }: ModuleVersion, what: "mod" | "zip"): string {
  return `${path} ${version}${what === "mod" ? "/go.mod" : ""}`;
}

/** Paths and versions are ASCII: code units are bytes. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function bad(reason: string): ProtocolError {
  return new ProtocolError("BAD_INTEGRITY", `the integrity list: ${reason}`);
}
