// One module request becomes one answer: kept bytes when we have them, else a job that fetches, verifies and keeps.
// Read this file downwards to follow a request.

import { createHash } from "node:crypto";
import { ProtocolError } from "#protocol/errors.ts";
import type { ModulePath } from "#protocol/path.ts";
import type { KnownTarget, ModuleTarget } from "#protocol/request.ts";
import type { ModuleVersion, Version } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { EventSink } from "#services/events/ports.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import type { KeptMod, KeptZip, ModuleStore } from "#services/store/module-store.ts";
import type { VerifiedBy } from "#services/store/manifest.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { Answer, BytesAnswer, MediaKind, Provenance } from "./answer.ts";
import { forever, local } from "./answer.ts";
import type { Aged, Aging, AgingFile } from "./aging.ts";
import type { Ahead } from "./ahead.ts";
import { ChunkManifests } from "./chunks.ts";
import { GateFull } from "./gate.ts";
import type { Listings } from "./listings.ts";
import type { ModuleJobs, Obtained } from "./module-jobs.ts";
import { jobDeadlineMs } from "./module-jobs.ts";
import type { NegativeCache } from "./negative.ts";
import type { NestedModules } from "./nested.ts";
import type { Origin } from "./origin.ts";
import { sumdbFailure } from "./origin.ts";
import { VerifierFault } from "./ports.ts";
import type { Privacy } from "./privacy.ts";
import { isToolchain } from "./privacy.ts";
import { storeFailure } from "./store-failure.ts";
import type { Sums } from "./sums.ts";

/** What this room answers: a module's files and listings, the sums we hold, and the hashes of a kept zip's chunks. */
export type ProxyTarget = ModuleTarget | Extract<KnownTarget, { readonly kind: "sum" | "chunks" }>;

/** How a request may be answered. */
export type AskOptions = {
  /** Answer from the store only: `/cached-only`, or the header `Disable-Module-Fetch: true`. */
  readonly keptOnly: false | "cached-only" | "fetch-disabled";
  /** The Granaries that the request has passed, as its hop header names them; "" for none. */
  readonly hops: string;
  /** The client's address: what it asked before tells what it will ask next. */
  readonly caller: string;
  /** The client asks past what is remembered: `Cache-Control: no-cache`. */
  readonly anew?: boolean;
  readonly signal: AbortSignal;
};

export type ProxyUse = {
  readonly store: ModuleStore;
  readonly jobs: ModuleJobs;
  readonly listings: Listings;
  readonly nested: NestedModules;
  readonly origin: Origin;
  readonly negative: NegativeCache;
  readonly privacy: Privacy;
  /** What databases recorded of a version whose zip is not kept; without it such a zip has no line in `/sum/…`. */
  readonly sums?: Pick<Sums, "recorded">;
  /** The path that a module is found under instead, by a rule. */
  readonly rewrite?: (path: string) => ModulePath | undefined;
  readonly events: EventSink;
  readonly ahead?: Pick<Ahead, "asked" | "answered" | "listed">;
  /** What an edge keeps of its origins grows old; without it nothing does. */
  readonly aging?: Pick<Aging, "of">;
  /** The name and value of the limit on concurrent ingests, for the error that names it. */
  readonly ingestLimit: { readonly name: string; readonly value: number };
};

export class Proxy {
  readonly #use: ProxyUse;
  readonly #chunkManifests = new ChunkManifests();

  constructor(use: ProxyUse) {
    this.#use = use;
  }

  /** Answers one module target. Throws GranaryError, and the signal's reason when aborted. */
  async answer(target: ProxyTarget, options: AskOptions): Promise<Answer> {
    try {
      return await this.#answer(target, options);
    } catch (error) {
      throw this.#inOurWords(error, target);
    }
  }

  /**
   * Forgets what upstreams said about a module and those below it: listings and absences; and that its ancestors are
   * none. Kept versions stay.
   */
  refresh(path: string): void {
    for (const each of new Set([path, this.#foundAs(path)])) {
      this.#use.listings.forget(each);
      this.#use.negative.forget(each);
    }
  }

  /** Forgets all that upstreams said. */
  refreshAll(): void {
    this.#use.listings.clear();
    this.#use.negative.clear();
  }

  #foundAs<Path extends string>(path: Path): Path | ModulePath {
    return this.#use.rewrite?.(path) ?? path;
  }

  async #answer(target: ProxyTarget, options: AskOptions): Promise<Answer> {
    switch (target.kind) {
      case "list":
      case "latest":
        return await this.#listing(target.kind, target.path, { query: "", options });
      case "info":
        if (target.version === undefined)
          return await this.#listing("query", target.path, { query: target.query, options });
        return await this.#info(await this.#mod(idOf(target.path, target.version), { ...options, asked: "info" }));
      case "mod":
        return this.#goMod(await this.#mod(idOf(target.path, target.version), { ...options, asked: "mod" }));
      case "zip":
        return await this.#zip(idOf(target.path, target.version), options);
      case "sum":
        return await this.#sum(idOf(target.path, target.version), options);
      case "chunks":
        return await this.#chunks(idOf(target.path, target.version), options);
    }
  }

  async #listing(
    kind: "list" | "latest" | "query",
    path: ModulePath,
    more: { readonly query: string; readonly options: AskOptions },
  ): Promise<Answer> {
    const { query, options } = more;
    const foundAs = this.#foundAs(path);
    if (options.keptOnly === false && this.#use.origin.mayAsk(foundAs)) {
      const listing = await this.#use.listings.get(kind, foundAs, { query, ...options });
      this.#use.ahead?.listed({ kind, path, bytes: listing.bytes }, options.caller);
      return this.#bytes(kind, path, {
        bytes: listing.bytes,
        provenance: listing.provenance,
        reuseMs: listing.freshForMs,
      });
    }
    const kept = await this.#use.listings.kept(kind, foundAs, query);
    if (kept !== undefined)
      return this.#bytes(kind, path, { bytes: kept.bytes, provenance: kept.provenance, reuseMs: 0 });
    throw this.#notKept(query === "" ? path : `${path}@${query}`, path, options);
  }

  async #mod(id: ModuleVersion, options: AskOptions & { readonly asked?: "info" | "mod" }): Promise<Vouched<KeptMod>> {
    const { asked, caller } = options;
    if (asked !== undefined && options.keptOnly === false) this.#use.ahead?.asked(asked, id, caller);
    const obtained = await this.#obtainMod(id, { ...options, exists: asked === "mod" });
    if (asked === "mod" && options.keptOnly === false) this.#use.ahead?.answered(obtained.kept, caller);
    if (asked === undefined || options.keptOnly !== false) return obtained;
    return { ...obtained, ...(await this.#aged(asked, obtained, options)) };
  }

  /** How old it is on an edge: what has just come is as fresh as it says, what is kept may be stale. */
  async #aged(file: AgingFile, { kept, provenance }: Vouched<KeptMod>, options: AskOptions): Promise<Partial<Aged>> {
    const aged = await this.#use.aging?.of(kept, file, options);
    if (aged === undefined) return {};
    return provenance === local ? aged : { reuseMs: aged.reuseMs };
  }

  async #obtainMod(id: ModuleVersion, options: AskOptions & { readonly exists: boolean }): Promise<Vouched<KeptMod>> {
    const { kept, damage } = await this.#sound(() => this.#use.store.findMod(id));
    if (kept !== undefined) {
      const by = await this.#use.jobs.vouch(kept, options.signal);
      return { kept, provenance: local, by };
    }
    if (!this.#mayFetch(id, options)) throw damage ?? this.#notKept(formatModuleVersion(id), id.path, options);
    try {
      const fetched = await this.#use.jobs.fetchMod(id, options);
      return { ...fetched, by: fetched.kept.manifest.verifiedBy };
    } catch (error) {
      // Offline, a directory of a kept module's zip is proof: a nested module's files are never in its parent's zip.
      if (isDoubt(error) && (await this.#use.nested.isDirectoryOfKept(id)))
        throw new GranaryError("GRANARY_IMPOSSIBLE", {
          what: formatModuleVersion(id),
          reason: "it is a directory of a kept module of this version, so no module of this version has that path",
        });
      throw error;
    }
  }

  async #info({ kept, provenance, by, reuseMs }: Vouched<KeptMod>): Promise<Answer> {
    const answer = this.#committed("info", kept.id, {
      bytes: kept.info,
      sha256: kept.manifest.info.sha256,
      since: kept.since,
      ...{ provenance, by, reuseMs },
    });
    // While its zip is not here, whoever asks for `.info` may be about to ask for that: it should be noticed.
    const zip = await this.#sound(() => this.#keptZip(kept.id));
    return zip.kept === undefined ? { ...answer, reuseMs: 0 } : answer;
  }

  #goMod({ kept, provenance, by, reuseMs }: Vouched<KeptMod>): Answer {
    const answer = this.#committed("mod", kept.id, {
      bytes: kept.mod,
      sha256: kept.manifest.mod.sha256,
      since: kept.since,
      ...{ provenance, by, reuseMs },
    });
    return { ...answer, goModOf: kept.id };
  }

  async #zip(id: ModuleVersion, options: AskOptions): Promise<Answer> {
    if (options.keptOnly === false) this.#use.ahead?.asked("zip", id, options.caller);
    // The job that fetches a zip finishes a publication as well: where one may be begun, nobody looks for it twice.
    const mayFetch = this.#mayFetch(id, options);
    const { kept, damage } = await this.#sound(() => (mayFetch ? this.#use.store.findZip(id) : this.#keptZip(id)));
    if (kept !== undefined) {
      const by = await this.#use.jobs.vouch(kept, options.signal);
      return this.#zipAnswer({ kept, provenance: local, by });
    }
    if (!mayFetch) throw damage ?? this.#notKept(formatModuleVersion(id), id.path, options);
    const fetched = await this.#use.jobs.fetchZip(id, options);
    return this.#zipAnswer({ ...fetched, by: fetched.kept.manifest.verifiedBy });
  }

  /** A publication that its process did not live to finish is finished by whoever asks next. */
  async #keptZip(id: ModuleVersion): Promise<KeptZip | undefined> {
    const kept = await this.#use.store.findZip(id);
    return kept ?? (this.#use.privacy.isPrivate(id.path) ? await this.#use.jobs.finish(id) : undefined);
  }

  #zipAnswer({ kept: zip, provenance, by }: Vouched<KeptZip>): Answer {
    const { size, sha256 } = zip.manifest.zip;
    const isPrivate = this.#use.privacy.isPrivate(zip.id.path);
    const answer = { kind: "zip", media: "zip", zip, size, sha256, since: zip.since, provenance, isPrivate } as const;
    return { ...answer, ...reuseOf({ by }) };
  }

  /**
   * The lines of go.sum. A public version that is not kept goes `.info`'s way first; its zip's line is then the word of
   * the record that vouched for it. A private one is answered from what is kept: nothing is fetched to say a hash.
   */
  async #sum(id: ModuleVersion, options: AskOptions): Promise<Answer> {
    const { privacy, store, jobs, sums } = this.#use;
    const isOurs = privacy.mustNotTravel(id.path) && !isToolchain(id.path);
    if (isOurs && (await this.#sound(() => store.findMod(id))).kept === undefined)
      throw new GranaryError("GRANARY_NOT_KEPT", { what: formatModuleVersion(id), because: "chunks" });
    const mod = await this.#mod(id, options);
    const { kept: zip } = await this.#sound(() => store.findZip(id));
    const by = zip === undefined ? mod.by : await jobs.vouch(zip, options.signal);
    const cachedOnly = options.keptOnly !== false;
    const h1 = zip?.manifest.zip.h1 ?? (await sums?.recorded(id, { signal: options.signal, cachedOnly }))?.zip;
    const lines = [`${id.path} ${id.version}/go.mod ${mod.kept.manifest.mod.h1}`];
    if (h1 !== undefined) lines.unshift(`${id.path} ${id.version} ${h1}`);
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    const answer = this.#bytes("sum", id.path, { bytes, provenance: mod.provenance, reuseMs: 0 });
    return mod.by === "integrity" || by === "integrity" ? { ...answer, isListed: true } : answer;
  }

  /** Of a kept zip only: nothing is fetched for it. It never changes, and neither does this. */
  async #chunks(id: ModuleVersion, options: AskOptions): Promise<Answer> {
    const { kept, damage } = await this.#sound(() => this.#use.store.findZip(id));
    if (kept === undefined)
      throw damage ?? new GranaryError("GRANARY_NOT_KEPT", { what: formatModuleVersion(id), because: "chunks" });
    const by = await this.#use.jobs.vouch(kept, options.signal);
    const bytes = await this.#chunkManifests.of(kept, options.signal);
    const answer = this.#bytes("chunks", id.path, { bytes, provenance: local, reuseMs: forever });
    return { ...answer, since: kept.since, ...reuseOf({ by }) };
  }

  #committed(
    media: MediaKind,
    id: ModuleVersion,
    from: Vouching & { bytes: Uint8Array; sha256: string; since: Date; provenance: Provenance },
  ): BytesAnswer {
    const { by, reuseMs, ...rest } = from;
    return {
      kind: "bytes",
      media,
      ...rest,
      ...reuseOf({ by, reuseMs }),
      isPrivate: this.#use.privacy.isPrivate(id.path),
    };
  }

  #bytes(
    media: MediaKind,
    path: string,
    from: { bytes: Uint8Array; provenance: Provenance; reuseMs: number },
  ): BytesAnswer {
    const sha256 = createHash("sha256").update(from.bytes).digest("hex");
    return { kind: "bytes", media, ...from, sha256, isPrivate: this.#use.privacy.isPrivate(path) };
  }

  #mayFetch(id: ModuleVersion, options: AskOptions): boolean {
    return options.keptOnly === false && this.#use.origin.mayAsk(this.#foundAs(id.path));
  }

  #notKept(what: string, path: string, options: AskOptions): GranaryError {
    if (options.keptOnly !== false) return new GranaryError("GRANARY_NOT_KEPT", { what, because: options.keptOnly });
    return this.#use.origin.nobody(what, this.#foundAs(path));
  }

  /** The kept thing. A damaged one is told; the job repairs it under the same hash, and nobody may call it absent. */
  async #sound<T>(find: () => Promise<T | undefined>): Promise<{ readonly kept?: T; readonly damage?: StoreDamaged }> {
    try {
      const kept = await find();
      return kept === undefined ? {} : { kept };
    } catch (error) {
      if (!(error instanceof StoreDamaged)) throw error;
      this.#use.events.emit({ name: "store.damaged", key: error.key, repaired: false, reason: error.message });
      return { damage: error };
    }
  }

  #inOurWords(error: unknown, target: ProxyTarget): unknown {
    const what = "version" in target ? `${target.path}@${target.version}` : target.path;
    const options = { cause: error };
    if (error instanceof SumdbError) return sumdbFailure(what, error);
    if (
      this.#use.store.isAway &&
      (saysAbsent(error) || (isFileOfBuild(target) && isGranaryError(error, "GRANARY_NOT_FOUND")))
    )
      return new GranaryError(
        "GRANARY_STORE_UNAVAILABLE",
        { what, reason: "the shared store is out of reach" },
        options,
      );
    const failure = storeFailure(what, error);
    if (failure !== undefined) return failure;
    if (error instanceof StoreDamaged) return damaged(what, error);
    if (error instanceof GateFull || (error instanceof VerifierFault && error.reason === "busy"))
      return new GranaryError(
        "GRANARY_OVERLOADED",
        { limit: this.#use.ingestLimit.name, value: this.#use.ingestLimit.value },
        options,
      );
    // A job that another one waited for took as long as one may.
    if (error instanceof DOMException && error.name === "TimeoutError")
      return new GranaryError("GRANARY_UPSTREAM_TIMEOUT", { what, tried: [], waitedMs: jobDeadlineMs }, options);
    if (error instanceof ProtocolError) return new GranaryError("GRANARY_INTERNAL", { reason: error.message }, options);
    return error;
  }
}

/**
 * Asked for by who has chosen the version already. Upstreams may have dropped one that we have kept, so their word is
 * not enough while we cannot look. Of anything else it is: go tries names of which most are no modules.
 */
function isFileOfBuild({ kind }: ProxyTarget): boolean {
  return kind === "mod" || kind === "zip";
}

/** What is said of what is not in the store, and nobody else was asked for. */
function saysAbsent(error: unknown): boolean {
  return isGranaryError(error, "GRANARY_NOT_KEPT") || isGranaryError(error, "GRANARY_PRIVATE_NOT_HERE");
}

/** Who vouches for what was obtained now, and how long it may be reused when that is not for ever. */
type Vouching = { readonly by: VerifiedBy; readonly reuseMs?: number | undefined };
type Vouched<T> = Obtained<T> & Vouching;

/** What only a list vouches for is asked about each time: the next answer may be a database's. */
function reuseOf({ by, reuseMs = forever }: Vouching): Pick<Answer, "reuseMs" | "isListed"> {
  return by === "integrity" ? { reuseMs: 0, isListed: true } : { reuseMs };
}

/** Kept bytes that are not what was committed, in our words. */
export function damaged(what: string, error: StoreDamaged): GranaryError {
  const { message: reason, sha256 } = error;
  return new GranaryError("GRANARY_STORE_DAMAGED", { what, reason, ...(sha256 && { sha256 }) }, { cause: error });
}

function idOf(path: ModulePath, version: Version): ModuleVersion {
  return { path, version };
}

function isDoubt(error: unknown): boolean {
  return (
    isGranaryError(error, "GRANARY_OFFLINE") ||
    isGranaryError(error, "GRANARY_UPSTREAMS_DISABLED") ||
    isGranaryError(error, "GRANARY_UPSTREAM_FAILED") ||
    isGranaryError(error, "GRANARY_UPSTREAM_BUSY") ||
    isGranaryError(error, "GRANARY_UPSTREAM_TIMEOUT") ||
    isGranaryError(error, "GRANARY_UPSTREAM_REFUSED")
  );
}
