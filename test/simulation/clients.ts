// What clients ask, and what becomes of it.
import type { KnownTarget } from "#protocol/request.ts";
import { statusFor } from "#doors/http/problems.ts";
import { parsePath } from "#protocol/path.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { Answer } from "#services/proxy/answer.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { Entry } from "./catalogue.ts";
import type { Granary } from "./granary.ts";

export type FileKind = "info" | "mod" | "zip";
export type Wish =
  | { readonly kind: FileKind; readonly entry: Entry; readonly keptOnly: boolean }
  | { readonly kind: "list" | "latest"; readonly path: string; readonly keptOnly: boolean }
  /** The record of a version, and the newest head, of the checksum database. */
  | { readonly kind: "lookup"; readonly entry: Entry; readonly keptOnly: boolean }
  | { readonly kind: "head"; readonly keptOnly: boolean };

export type Outcome =
  | { readonly kind: "answer"; readonly bytes: Uint8Array; readonly sha256?: string; readonly here: string }
  | { readonly kind: "failure"; readonly status: number; readonly code: string; readonly message: string }
  /** A body that ended without its end: the client knows that it has not got it all. */
  | { readonly kind: "broken"; readonly message: string }
  /** The client went away. */
  | { readonly kind: "left" }
  /** The server went away. */
  | { readonly kind: "reset" };

export function describe(wish: Wish): string {
  const what = "entry" in wish ? wish.entry.name : "path" in wish ? wish.path : "";
  return `${wish.kind} ${what}${wish.keptOnly ? " (kept only)" : ""}`;
}

/** Asks as one client does. Throws what no client should ever meet. */
export async function ask(granary: Granary, wish: Wish, signal: AbortSignal): Promise<Outcome> {
  try {
    return await answered(granary, wish, signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return { kind: "left" };
    if (isGranaryError(error) && error.code !== "GRANARY_INTERNAL")
      return { kind: "failure", status: statusFor(error.code), code: error.code, message: error.message };
    if (error instanceof SumdbError || (isOfDatabase(wish) && error instanceof StoreUnavailable))
      return { kind: "failure", status: 503, code: codeOf(error), message: error.message };
    throw error;
  }
}

function codeOf(error: SumdbError | StoreUnavailable): string {
  return error instanceof SumdbError ? error.code : "GRANARY_STORE_UNAVAILABLE";
}

function isOfDatabase({ kind }: Wish): boolean {
  return kind === "lookup" || kind === "head";
}

async function answered(granary: Granary, wish: Wish, signal: AbortSignal): Promise<Outcome> {
  const { keptOnly } = wish;
  if (wish.kind === "head")
    return { kind: "answer", bytes: await granary.mirror.latest({ signal, cachedOnly: keptOnly }), here: "-" };
  if (wish.kind === "lookup") {
    const record = await granary.mirror.lookup(wish.entry.id, { signal, cachedOnly: keptOnly });
    return { kind: "answer", bytes: record.bytes, here: record.route };
  }
  const options = { keptOnly: keptOnly ? ("cached-only" as const) : (false as const), hops: "", caller: "10.0.0.1" };
  const answer = await granary.proxy.answer(targetOf(wish), { ...options, signal });
  return await read(answer, { granary, signal });
}

type ModuleTarget = Extract<KnownTarget, { readonly kind: "info" | "mod" | "zip" | "list" | "latest" }>;

function targetOf(wish: Exclude<Wish, { readonly kind: "lookup" | "head" }>): ModuleTarget {
  const cachedOnly = wish.keptOnly;
  if (!("entry" in wish)) return { kind: wish.kind, path: parsePath(wish.path), cachedOnly };
  const { path, version } = wish.entry.id;
  if (wish.kind === "info") return { kind: "info", path, version, query: version, cachedOnly };
  return { kind: wish.kind, path, version, cachedOnly };
}

/** As much as one read of the server's takes at a time. */
const pieceBytes = 48 * 1024;

async function read(
  answer: Answer,
  { granary, signal }: { readonly granary: Granary; readonly signal: AbortSignal },
): Promise<Outcome> {
  const { sha256, provenance } = answer;
  if (answer.kind === "bytes") return { kind: "answer", bytes: answer.bytes, sha256, here: provenance.here };
  try {
    const source = await answer.zip.open();
    try {
      const bytes = new Uint8Array(source.size);
      for (let at = 0; at < source.size;) {
        // The client takes its time; nothing of the server waits for it but the file.
        await granary.life.pauseUnless(signal, pieceBytes / 10_000);
        const piece = new Uint8Array(Math.min(pieceBytes, source.size - at));
        const got = await source.read(at, piece);
        if (got === 0) return { kind: "broken", message: "it ended early" };
        bytes.set(piece.subarray(0, got), at);
        at += got;
      }
      return { kind: "answer", bytes, sha256, here: provenance.here };
    } finally {
      await source.close();
    }
  } catch (error) {
    // Nothing was sent, or the connection breaks off: both are no answer.
    if (error instanceof StoreDamaged || error instanceof StoreUnavailable)
      return { kind: "broken", message: error.message };
    throw error;
  }
}
