// The checksum database's endpoints: `/sumdb/<name>/{supported,latest,lookup,tile}` for configured databases only.
// Any other name is 404: this is a mirror, not a relay.

import { createHash } from "node:crypto";
import type { SumdbTarget } from "#protocol/request.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Meter } from "#services/events/ports.ts";
import type { BytesAnswer, MediaKind } from "#services/proxy/answer.ts";
import { forever, local } from "#services/proxy/answer.ts";
import { sumdbFailure } from "#services/proxy/origin.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import { isToolchain } from "#services/proxy/privacy.ts";
import { SumdbError } from "#services/sumdb/errors.ts";

/** What this door needs of a database mirror. */
export interface DatabaseMirror {
  readonly name: string;
  lookup(id: ModuleVersion, options: Ask): Promise<{ readonly bytes: Uint8Array }>;
  tile(path: string, options: Ask): Promise<Uint8Array>;
  latest(options: Ask): Promise<Uint8Array>;
}

type Ask = { readonly signal: AbortSignal; readonly cachedOnly: boolean };

/** How long a tree head is handed out without being looked at again. */
const headReuseMs = 10_000;

export class SumdbDoor {
  readonly #mirrors: ReadonlyMap<string, DatabaseMirror>;
  readonly #privacy: () => Privacy;
  readonly #meter: Meter;

  constructor(use: {
    readonly mirrors: readonly DatabaseMirror[];
    readonly privacy: () => Privacy;
    readonly meter: Meter;
  }) {
    this.#mirrors = new Map(use.mirrors.map((mirror) => [mirror.name, mirror]));
    this.#privacy = use.privacy;
    this.#meter = use.meter;
  }

  async answer(
    target: SumdbTarget,
    options: { readonly signal: AbortSignal; readonly keptOnly: boolean },
  ): Promise<BytesAnswer> {
    const mirror = this.#mirrors.get(target.name);
    if (mirror === undefined)
      throw new GranaryError("GRANARY_SUMDB_UNKNOWN", { database: target.name, configured: [...this.#mirrors.keys()] });
    const ask: Ask = { signal: options.signal, cachedOnly: options.keptOnly };
    const { endpoint } = target;
    switch (endpoint.kind) {
      case "supported":
        return answer("supported", Buffer.alloc(0), forever);
      case "latest":
        return answer("head", await inOurWords(mirror, "latest", () => mirror.latest(ask)), headReuseMs);
      case "tile":
        return answer("tile", await inOurWords(mirror, endpoint.text, () => mirror.tile(endpoint.text, ask)), forever);
      case "lookup": {
        const id = { path: endpoint.path, version: endpoint.version };
        this.#refusePrivate(id, mirror);
        const record = await inOurWords(mirror, formatModuleVersion(id), () => mirror.lookup(id, ask));
        // An older head stays right: every head ever served is consistent with the newest.
        return answer("lookup", record.bytes, forever);
      }
    }
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

function answer(media: MediaKind, bytes: Uint8Array, reuseMs: number): BytesAnswer {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { kind: "bytes", media, bytes, sha256, provenance: local, reuseMs, isPrivate: false };
}

async function inOurWords<T>(mirror: DatabaseMirror, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SumdbError)) throw error;
    // Behind: a tile beyond the newest signed head. The tree has no such tile, as far as anybody can show.
    if (error.code === "SUMDB_ABSENT" || error.code === "SUMDB_NOT_KEPT" || error.code === "SUMDB_BEHIND")
      throw new GranaryError(
        "GRANARY_SUMDB_NOT_FOUND",
        { what, database: mirror.name, reason: error.message },
        { cause: error },
      );
    throw sumdbFailure(what, error);
  }
}
