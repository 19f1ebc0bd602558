// What other nodes wrote, read with care: a key that somebody else filled says nothing.

import type { NodeReport, Notice, SharedAbsence } from "#services/cluster/ports.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Longest text that is read at all, in UTF-16 units. */
export const maxText = 8 << 10;
const maxField = 4 << 10;

export function readAbsence(text: string): SharedAbsence | undefined {
  const { reason, by, sinceMs, untilMs } = fieldsOf(text) ?? {};
  if (!isText(reason) || !isText(by) || !isTime(sinceMs) || !isTime(untilMs)) return undefined;
  return { reason, by, sinceMs, untilMs };
}

export function readReport(text: string): NodeReport | undefined {
  const { node, version, requests, perSecond, atMs } = fieldsOf(text) ?? {};
  if (!isText(node) || !isText(version) || !isCount(requests) || !isCount(perSecond) || !isTime(atMs)) return undefined;
  return { node, version, requests, perSecond, atMs };
}

/** A notice and who tells it. */
export function readNotice(text: string): { readonly from: string; readonly notice: Notice } | undefined {
  const { from, about, path, key, name } = fieldsOf(text) ?? {};
  if (!isText(from)) return undefined;
  if (about === "module") return isText(path) ? { from, notice: { about, path } } : undefined;
  if (about === "turn") return isText(name) ? { from, notice: { about, name } } : undefined;
  if (about !== "object" && about !== "state") return undefined;
  return isText(key) ? { from, notice: { about, key } } : undefined;
}

function fieldsOf(text: string): Fields | undefined {
  if (text.length > maxText) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxField;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(Math.trunc(value)) && value >= 0;
}
