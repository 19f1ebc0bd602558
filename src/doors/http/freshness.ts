// How long other caches may keep what we answer. Lifetimes are headers only: a committed file is never fetched anew.

import type { MediaKind } from "#services/proxy/answer.ts";

/** Seconds, and the size from which a zip counts as large. All configurable; the defaults stand in the config table. */
export type Freshness = {
  readonly infoSeconds: number;
  readonly zipSmallSeconds: number;
  readonly zipLargeSeconds: number;
  readonly largeFromBytes: number;
  readonly staleWhileRevalidateSeconds: number;
  readonly listSeconds: number;
  readonly negativeSeconds: number;
};

/** The Cache-Control value of a good answer. */
export function cacheControl(
  media: MediaKind,
  size: number,
  options: { readonly freshness: Freshness; readonly isPrivate: boolean },
): string {
  const { freshness, isPrivate } = options;
  if (isPrivate) return "private, no-store";
  switch (media) {
    case "info":
    case "mod":
    case "sum":
      return `public, max-age=${freshness.infoSeconds}, stale-while-revalidate=${freshness.staleWhileRevalidateSeconds}`;
    case "zip":
      return `public, max-age=${size < freshness.largeFromBytes ? freshness.zipSmallSeconds : freshness.zipLargeSeconds}`;
    case "list":
    case "latest":
    case "query":
      return `public, max-age=${freshness.listSeconds}`;
    case "head":
      return "public, max-age=60";
    case "checkpoint":
      return "public, max-age=5";
    case "supported":
      return "public, max-age=3600";
    // A proven record and a full tile never change; a partial tile is only ever replaced by more of the same.
    // The chunks of a kept zip are what they are.
    case "lookup":
    case "tile":
    case "chunks":
      return "public, max-age=604800, immutable";
  }
}

/** The Content-Type of an answer (the go command ignores it on success; browsers and caches do not). */
export function contentType(media: MediaKind): string {
  switch (media) {
    case "info":
    case "latest":
    case "query":
    case "chunks":
      return "application/json";
    case "zip":
      return "application/zip";
    case "tile":
      return "application/octet-stream";
    case "mod":
    case "list":
    case "sum":
    case "lookup":
    case "head":
    case "checkpoint":
    case "supported":
      return "text/plain; charset=utf-8";
  }
}
