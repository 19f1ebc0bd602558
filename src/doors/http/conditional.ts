// Conditional and range requests (RFC 9110 §13, §14), for one strong entity tag and a single range.

/** True when an If-None-Match header names `etag` (weak comparison, RFC 9110 §13.1.2). */
export function noneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return entityTags(header).some((tag) => tag.replace(/^W\//, "") === etag);
}

/** The entity tags of a list header; commas inside quotes do not separate. */
function entityTags(header: string): string[] {
  return header.slice(0, maxConditionHeader).match(/(?:W\/)?"[^"]*"/g) ?? [];
}

/** Longest condition looked at; nobody holds more than a few versions of one file. */
const maxConditionHeader = 4096;

export type Range = { readonly start: number; /** inclusive */ readonly end: number };

/**
 * The range to send: "whole" when there is none, when it is malformed, when several are asked (answered whole, as
 * RFC 9110 §14.2 allows; many small ranges are an attack), or when If-Range does not name `etag`;
 * "unsatisfiable" when it lies behind the end.
 */
export function rangeOf(
  headers: { readonly range: string | undefined; readonly ifRange: string | undefined },
  etag: string,
  size: number,
): Range | "whole" | "unsatisfiable" {
  const { range, ifRange } = headers;
  if (range === undefined) return "whole";
  // A strong comparison: a date or a weak tag cannot vouch for a part (RFC 9110 §13.1.5).
  if (ifRange !== undefined && ifRange !== etag) return "whole";
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  if (found === null) return "whole";
  const [, from = "", to = ""] = found;
  if (from === "" && to === "") return "whole";
  if (from === "") {
    const last = Number(to);
    if (last === 0 || size === 0) return "unsatisfiable";
    return { start: Math.max(0, size - last), end: size - 1 };
  }
  const start = Number(from);
  const end = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < start) return "whole";
  return start >= size ? "unsatisfiable" : { start, end };
}
