// The checksum database's endpoints: `/sumdb/<name>/{supported,latest,lookup,tile}` for configured databases only.
// Any other name is 404: this is a mirror, not a relay. An own log is served in a second form below `/tlog/<name>/`.
//
// An own log holds private modules. Whoever may not read them gets neither their lookups nor the tiles of records;
// hashes and heads say nothing of names, and every client of the public part needs them.

import { createHash } from "node:crypto";
import type { SumdbTarget, TlogTarget } from "#protocol/request.ts";
import type { Tile } from "#protocol/tile.ts";
import { formatTilesPath } from "#protocol/tlog-tiles.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Meter } from "#services/events/ports.ts";
import type { BytesAnswer, MediaKind } from "#services/proxy/answer.ts";
import { forever, local } from "#services/proxy/answer.ts";
import { sumdbFailure } from "#services/proxy/origin.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import { isToolchain } from "#services/proxy/privacy.ts";
import { storeFailure } from "#services/proxy/store-failure.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { SumLogError, sumLogFailure } from "#services/sumlog/errors.ts";

/** What this door needs of a database mirror. */
export interface DatabaseMirror {
  readonly name: string;
  /** True for an own log. */
  readonly holdsPrivate?: boolean;
  lookup(id: ModuleVersion, options: Ask): Promise<{ readonly bytes: Uint8Array }>;
  tile(path: string, options: Ask): Promise<Uint8Array>;
  latest(options: Ask): Promise<Uint8Array>;
}

/** What this door needs of an own log in the form of tlog-tiles. */
export interface TiledDatabase {
  readonly name: string;
  checkpoint(): Promise<Uint8Array>;
  tile(tile: Tile): Promise<Uint8Array | undefined>;
}

export type SumdbOptions = {
  readonly signal: AbortSignal;
  readonly keptOnly: boolean;
  /** Throws GranaryError when the caller may not read what is private. */
  readonly requireReader: (what: string) => Promise<void>;
};

type Ask = { readonly signal: AbortSignal; readonly cachedOnly: boolean };

/** How long a tree head is handed out without being looked at again. */
const headReuseMs = 10_000;

export class SumdbDoor {
  readonly #mirrors: ReadonlyMap<string, DatabaseMirror>;
  readonly #logs: ReadonlyMap<string, TiledDatabase>;
  readonly #privacy: () => Privacy;
  readonly #meter: Meter;

  constructor(use: {
    readonly mirrors: readonly DatabaseMirror[];
    readonly logs?: readonly TiledDatabase[];
    readonly privacy: () => Privacy;
    readonly meter: Meter;
  }) {
    this.#mirrors = new Map(use.mirrors.map((mirror) => [mirror.name, mirror]));
    this.#logs = new Map((use.logs ?? []).map((log) => [log.name, log]));
    this.#privacy = use.privacy;
    this.#meter = use.meter;
  }

  async answer(target: SumdbTarget, options: SumdbOptions): Promise<BytesAnswer> {
    const mirror = this.#mirrors.get(target.name);
    if (mirror === undefined)
      throw new GranaryError("GRANARY_SUMDB_UNKNOWN", { database: target.name, configured: [...this.#mirrors.keys()] });
    const ask: Ask = { signal: options.signal, cachedOnly: options.keptOnly };
    const { endpoint } = target;
    switch (endpoint.kind) {
      case "supported":
        return answer("supported", Buffer.alloc(0), { reuseMs: forever });
      case "latest":
        return answer("head", await inOurWords(mirror, "latest", () => mirror.latest(ask)), {
          // An own log's newest head is in memory, and who has just appended looks for it.
          reuseMs: mirror.holdsPrivate === true ? 0 : headReuseMs,
        });
      case "tile": {
        const isPrivate = mirror.holdsPrivate === true && endpoint.text.startsWith("tile/8/data/");
        if (isPrivate) await options.requireReader(endpoint.text);
        const bytes = await inOurWords(mirror, endpoint.text, () => mirror.tile(endpoint.text, ask));
        return answer("tile", bytes, { reuseMs: forever, isPrivate });
      }
      case "lookup": {
        const id = { path: endpoint.path, version: endpoint.version };
        const isPrivate = mirror.holdsPrivate === true && this.#privacy().isPrivate(id.path);
        if (isPrivate) await options.requireReader(id.path);
        if (mirror.holdsPrivate !== true) this.#refusePrivate(id, mirror);
        const record = await inOurWords(mirror, formatModuleVersion(id), () => mirror.lookup(id, ask));
        // An older head stays right: every head ever served is consistent with the newest.
        return answer("lookup", record.bytes, { reuseMs: forever, isPrivate });
      }
    }
  }

  /** An own log in the form of tlog-tiles. */
  async answerTiled({ name, tile }: TlogTarget, options: SumdbOptions): Promise<BytesAnswer> {
    const log = this.#logs.get(name);
    if (log === undefined)
      throw new GranaryError("GRANARY_SUMDB_UNKNOWN", { database: name, configured: [...this.#logs.keys()] });
    if (tile === undefined)
      return answer("checkpoint", await inOurWords(log, "checkpoint", () => log.checkpoint()), { reuseMs: 0 });
    const what = formatTilesPath(tile);
    const isPrivate = tile.level < 0;
    if (isPrivate) await options.requireReader(what);
    const bytes = await inOurWords(log, what, () => log.tile(tile));
    if (bytes !== undefined) return answer("tile", bytes, { reuseMs: forever, isPrivate });
    const reason = "the log has no such tile yet";
    throw new GranaryError("GRANARY_SUMDB_NOT_FOUND", { what, database: name, reason });
  }

  /** A private name is never asked of a public database, nor are its ancestors (which no record could name anyway). */
  #refusePrivate(id: ModuleVersion, mirror: DatabaseMirror): void {
    const privacy = this.#privacy();
    if (!privacy.mustNotTravel(id.path) || isToolchain(id.path)) return;
    this.#meter.privateNameKept("sumdb");
    const reason = "the path is private here; a private name is never sent to a public checksum database";
    throw new GranaryError("GRANARY_SUMDB_NOT_FOUND", { what: formatModuleVersion(id), database: mirror.name, reason });
  }
}

function answer(
  media: MediaKind,
  bytes: Uint8Array,
  { reuseMs, isPrivate = false }: { readonly reuseMs: number; readonly isPrivate?: boolean },
): BytesAnswer {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { kind: "bytes", media, bytes, sha256, provenance: local, reuseMs, isPrivate };
}

async function inOurWords<T>({ name }: { readonly name: string }, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SumLogError) throw sumLogFailure(error);
    if (!(error instanceof SumdbError)) throw storeFailure(what, error) ?? error;
    // Behind: a tile beyond the newest signed head. The tree has no such tile, as far as anybody can show.
    if (error.code === "SUMDB_ABSENT" || error.code === "SUMDB_NOT_KEPT" || error.code === "SUMDB_BEHIND")
      throw new GranaryError(
        "GRANARY_SUMDB_NOT_FOUND",
        { what, database: name, reason: error.message },
        { cause: error },
      );
    throw sumdbFailure(what, error);
  }
}
