// The lines of a module index: one JSON object each, in the order in which the index saw the versions.
//
//   {"Path":"golang.org/x/text","Version":"v0.3.0","Timestamp":"2019-04-10T19:08:52.997264Z"}
//
// Source: x/pkgsite internal/index. Historic lines may name what is no module path or no version today.

import { ProtocolError } from "#protocol/errors.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";

export type IndexLine = {
  readonly id: ModuleVersion;
  /** As the index wrote it: it may be finer than a Date can tell. */
  readonly timestamp: string;
};

export type IndexPage = {
  readonly lines: readonly IndexLine[];
  /** Lines that name no module version, or are no such JSON. */
  readonly malformed: number;
  /** Lines in all. */
  readonly size: number;
  /** The last timestamp that could be read; undefined when none could. */
  readonly last: string | undefined;
};

/** A path, a version and a date are shorter. */
const maxLineLength = 4_096;

export function parseIndexPage(text: string): IndexPage {
  const all = text.split("\n").filter((line) => line.trim() !== "");
  const lines: IndexLine[] = [];
  let last: string | undefined;
  for (const line of all) {
    const { timestamp, id } = parseLine(line);
    if (timestamp !== undefined) last = timestamp;
    if (timestamp !== undefined && id !== undefined) lines.push({ id, timestamp });
  }
  return { lines, malformed: all.length - lines.length, size: all.length, last };
}

/** RFC 3339 in UTC or with an offset, up to nanoseconds. */
export function isTimestamp(text: unknown): text is string {
  const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
  return typeof text === "string" && pattern.test(text) && !Number.isNaN(Date.parse(text));
}

function parseLine(line: string): { readonly timestamp?: string; readonly id?: ModuleVersion } {
  try {
    if (line.length > maxLineLength) return {};
    const value = JSON.parse(line) as { readonly Path?: unknown; Version?: unknown; Timestamp?: unknown } | null;
    const timestamp = value?.Timestamp;
    if (!isTimestamp(timestamp)) return {};
    if (typeof value?.Path !== "string" || typeof value.Version !== "string") return { timestamp };
    return { timestamp, ...versionOf(value.Path, value.Version) };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function versionOf(path: string, version: string): { readonly id?: ModuleVersion } {
  try {
    return { id: checkModuleVersion(path, version) };
  } catch (error) {
    if (error instanceof ProtocolError) return {};
    throw error;
  }
}
