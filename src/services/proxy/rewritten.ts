// Modules that are asked for under one name and found under another (rewrite rules). What is found is fetched, proven and
// kept under its own name first; then it is offered, under the name that was asked for, to the same jobs as anything an
// upstream gives: structure, hashes, database or pin. Only the zip's names are changed. The go.mod is not: one that calls
// itself by the other name is no module of the asked name for any go command, and saying so is all that can be done.

import { ProtocolError } from "#protocol/errors.ts";
import { legacyGoMod, parseGoMod } from "#protocol/gomod.ts";
import type { ModulePath } from "#protocol/path.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { zipPrefix } from "#protocol/zip-names.ts";
import { planMove } from "#protocol/zip-move.ts";
import type { MovedPiece, ReadAt } from "#protocol/zip-move.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { CheckedObject } from "#services/store/checked-object.ts";
import type { KeptMod, KeptZip, ModuleStore } from "#services/store/module-store.ts";
import { upstreamInName } from "#services/upstreams/chain.ts";
import type { Upstream } from "#services/upstreams/chain.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import type { Accept, Ask, Found, Origin } from "./origin.ts";
import { failed } from "./origin.ts";

/** One read of what is copied. */
const pieceBytes = 256 * 1024;

export type RewrittenUse = {
  /** What is not rewritten. */
  readonly origin: Pick<Origin, "find" | "wouldAsk">;
  /** The path a module is found under; undefined when no rule matches. */
  readonly rewrite: (path: string) => ModulePath | undefined;
  readonly store: Pick<ModuleStore, "findMod" | "findZip">;
  readonly events: EventSink;
};

/** True when the go.mod may be one that go made up for a module without one; then only the zip tells. */
export function mayBeMadeUp({ id, mod }: KeptMod): boolean {
  return Buffer.from(mod).equals(Buffer.from(legacyGoMod(id.path)));
}

export class RewrittenOrigin implements Pick<Origin, "find" | "wouldAsk"> {
  readonly #use: RewrittenUse;

  constructor(use: RewrittenUse) {
    this.#use = use;
  }

  wouldAsk(id: ModuleVersion): boolean {
    return this.#use.rewrite(id.path) === undefined && this.#use.origin.wouldAsk(id);
  }

  /** As Origin.find(). A rewritten module's target must be kept: the jobs see to it. Throws GRANARY_REWRITE_CONFLICT. */
  async find<T>(ask: Ask, signal: AbortSignal, accept: Accept<T>): Promise<Found<T>> {
    const path = this.#use.rewrite(ask.module);
    if (path === undefined) return await this.#use.origin.find(ask, signal, accept);
    const target = { path, version: ask.what.slice(ask.module.length + 1) } as ModuleVersion;
    const asked = { path: ask.module, version: target.version } as ModuleVersion;
    const upstream = rewriteUpstream(target);
    const [mod, zip] = await Promise.all([this.#use.store.findMod(target), this.#use.store.findZip(target)]);
    if (mod === undefined || (ask.kind === "zip" && zip === undefined)) throw gone(ask, upstream);
    const opened = zip === undefined ? undefined : await zip.open();
    try {
      const answer = await this.#answer(asked, { ask, mod, zip, opened });
      const companion = Promise.resolve(answer.goMod);
      return { value: await accept(answer.response, upstream, { signal, companion }), upstream };
    } catch (error) {
      if (!(error instanceof Unusable || error instanceof UpstreamFault)) throw error;
      throw failed(ask, { reasons: [{ upstream: upstream.name, error }], waitedMs: 0, waitMs: undefined });
    } finally {
      await opened?.close();
    }
  }

  async #answer(
    asked: ModuleVersion,
    from: Kept & { readonly ask: Ask },
  ): Promise<{ readonly response: UpstreamResponse; readonly goMod: Uint8Array }> {
    const { ask, mod, zip, opened } = from;
    const read = opened && readerOf(opened);
    const prefix = { from: zipPrefix(mod.id), to: zipPrefix(asked) };
    const moved = zip && read && (await planMove({ size: zip.manifest.zip.size, read }, prefix).catch(unusable));
    const goMod = this.#goModFor(asked, mod, moved?.hasGoMod);
    const { url } = mod.manifest.origin;
    if (ask.kind !== "zip" || moved === undefined || read === undefined)
      return { goMod, response: responseOf({ url, size: mod.info.length, body: piecesOf([mod.info], unread) }) };
    return { goMod, response: responseOf({ url, size: moved.size, body: piecesOf(moved.pieces, read) }) };
  }

  /** The go.mod as a module of the asked name. Throws GRANARY_REWRITE_CONFLICT. */
  #goModFor(asked: ModuleVersion, mod: KeptMod, hasGoMod: boolean | undefined): Uint8Array {
    const declared = declaredIn(mod.mod);
    if (declared === asked.path) return mod.mod;
    if (hasGoMod === false && mayBeMadeUp(mod)) return Buffer.from(legacyGoMod(asked.path));
    const [what, target] = [formatModuleVersion(asked), formatModuleVersion(mod.id)];
    const reason = `its go.mod declares ${declared ?? "no path"}`;
    const event = { module: asked.path, version: asked.version, upstream: "rewrite", reason };
    this.#use.events.emit({ name: "module.denied", ...event, code: "GRANARY_REWRITE_CONFLICT" });
    throw new GranaryError("GRANARY_REWRITE_CONFLICT", { what, target, declared: declared ?? "" });
  }
}

type Kept = {
  readonly mod: KeptMod;
  readonly zip: KeptZip | undefined;
  readonly opened: CheckedObject | undefined;
};

function declaredIn(mod: Uint8Array): string | undefined {
  try {
    return parseGoMod(mod, { lax: true }).path;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function unusable(error: unknown): never {
  if (error instanceof ProtocolError) throw new Unusable("BAD_MODULE", `zip: ${error.message}`, { cause: error });
  throw error;
}

function gone(ask: Ask, { name }: Upstream): GranaryError {
  const error = new UpstreamFault(name, "unreachable", "what it is found as is no longer kept");
  return failed(ask, { reasons: [{ upstream: name, error }], waitedMs: 0, waitMs: undefined });
}

function readerOf(opened: CheckedObject): ReadAt {
  return async (offset, length) => {
    const bytes = Buffer.allocUnsafe(length);
    const got = await opened.read(offset, bytes);
    if (got !== length) throw new Error(`read ${got} bytes of ${length}`);
    return bytes;
  };
}

const unread: ReadAt = () => Promise.reject(new Error("nothing is copied"));

async function* piecesOf(pieces: readonly MovedPiece[], read: ReadAt): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else
      for (let at = 0; at < piece.length; at += pieceBytes)
        yield await read(piece.offset + at, Math.min(pieceBytes, piece.length - at));
  }
}

function responseOf(of: {
  readonly url: string;
  readonly size: number;
  readonly body: AsyncIterable<Uint8Array>;
}): UpstreamResponse {
  const headers = { "content-length": String(of.size), "x-go-proxy-cache": "HIT" };
  return { status: 200, headers, url: of.url, body: of.body, cancel: () => undefined };
}

/** No upstream of the chain: events and manifests name the rule's end. */
function rewriteUpstream({ path }: ModuleVersion): Upstream {
  return upstreamInName(`rewrite:${path}`, "");
}
