// What the proxy answers to a module request, before any door turns it into HTTP.

import type { ModuleVersion } from "#protocol/version.ts";
import type { KeptZip } from "#services/store/module-store.ts";

/** What kind of thing an answer is; lifetimes and content types hang on it. */
export type MediaKind =
  | "info"
  | "query"
  | "mod"
  | "zip"
  | "list"
  | "latest"
  | "sum"
  | "chunks"
  | "lookup"
  | "tile"
  | "head"
  | "checkpoint"
  | "supported";

/** Where the bytes came from, for `X-Go-Proxy-Cache` and `X-Go-Proxy-Status`. */
export type Provenance = {
  /** What the upstream said of its own cache; `-` when none was asked. */
  readonly upstream: "-" | "HIT" | "MISS" | "BYPASS";
  /** What this cache did. */
  readonly here: "HIT" | "MISS" | "EXPIRED" | "STALE";
};

type Common = {
  readonly media: MediaKind;
  readonly provenance: Provenance;
  /** sha256 of the bytes in hex; the entity tag. */
  readonly sha256: string;
  /** When these bytes were first kept; undefined when they may change. */
  readonly since?: Date;
  /** Set when no checksum database but a signed list vouches for these bytes: said in a header, and kept by nobody. */
  readonly isListed?: true;
  /** How long a ready-made answer may be reused without asking the proxy again. */
  readonly reuseMs: number;
  /** Private modules are answered to readers only and never to shared caches. */
  readonly isPrivate: boolean;
};

export type BytesAnswer = Common & {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
  /** Whose go.mod it is: a request for it is a use of that version. */
  readonly goModOf?: ModuleVersion;
};
export type ZipAnswer = Common & { readonly kind: "zip"; readonly zip: KeptZip; readonly size: number };
export type Answer = BytesAnswer | ZipAnswer;

/** Committed bytes never change: a ready-made answer stays good. */
export const forever = Number.MAX_SAFE_INTEGER;

export const local: Provenance = { upstream: "-", here: "HIT" };

/**
 * What upstream headers say of the upstream's own cache (our own headers, then the common ones). A Granary's `private,
 * no-store` speaks to caches between us, not of its own.
 */
export function upstreamCacheState(headers: Readonly<Record<string, string>>): "HIT" | "MISS" | "BYPASS" {
  const last = headers["x-go-proxy-status"]?.split("|").at(-1);
  if (/^\s*bypass\s*$/i.test(last ?? "")) return "BYPASS";
  const ours = headers["x-go-proxy-cache"] ?? last;
  const said = ours ?? headers["x-cache"] ?? headers["x-cache-status"] ?? headers["cf-cache-status"] ?? "";
  if (/hit/i.test(said)) return "HIT";
  const control = headers["cache-control"] ?? "";
  if (/no-cache/i.test(control) || (ours === undefined && /no-store/i.test(control))) return "BYPASS";
  return ours === undefined && Number(headers["age"] ?? 0) > 0 ? "HIT" : "MISS";
}
