// What must be true of every answer, whatever goes wrong. The model knows the true bytes, what clients were given, and
// what was done to the store behind the server's back; it knows nothing of how the server works.
import { openCheckpoint } from "#protocol/checkpoint.ts";
import { parseList } from "#protocol/info.ts";
import { escapePath, parsePath, unescapePath } from "#protocol/path.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import { unescapeVersion } from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { versionKey } from "#services/store/layout.ts";
import type { StorageKey } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";
import { openLookup } from "#services/sumdb/records.ts";
import { catalogue, sha256 } from "./catalogue.ts";
import type { Entry } from "./catalogue.ts";
import { describe } from "./clients.ts";
import type { FileKind, Outcome, Wish } from "./clients.ts";
import type { Disk } from "./disk.ts";
import { writtenSha256 } from "./disk.ts";
import { settings } from "./granary.ts";
import type { Mirrors } from "./mirrors.ts";

/** Something that must never be. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export type ModelUse = { readonly disk: Disk; readonly mirrors: Mirrors; readonly nowMs: () => number };
export type Span = { readonly fromMs: number; readonly toMs: number };

/** What was said of an upstream's absences is believed for so long; its breaker stays open for half of it. */
const negativeMs = settings["freshness.negative"];
const echoMs = negativeMs + 60_000;

export class Model {
  readonly #use: ModelUse;
  readonly #verifier: ReturnType<typeof parseVerifierKey>;
  /** `kind name` of what a client was given, and must therefore be given again. */
  readonly #acknowledged = new Set<string>();
  /** By `info name` and `zip name`: the SHA-256 of what a client was given first. */
  readonly #first = new Map<string, string>();
  /** When what a client was given was damaged last. */
  readonly #harmedMs = new Map<string, number>();
  /** Manifests that were damaged: nobody can say any more which bytes were given out. */
  readonly #doomed = new Set<string>();
  /** Versions that are being evicted, how many times over; when the last eviction of each was under way. */
  readonly #evicting = new Map<string, number>();
  readonly #evictedMs = new Map<string, number>();
  /** Files that may be missing: evicted, or rotten once. */
  readonly #evicted = new Set<string>();
  /** The last list that clients saw of a module. */
  readonly #shown = new Map<string, ReadonlySet<string>>();
  readonly #listsUnderWay = new Map<string, number>();
  #isSumdbHarmed = false;
  #sickUntilMs = Number.NEGATIVE_INFINITY;

  constructor(use: ModelUse) {
    this.#use = use;
    this.#verifier = parseVerifierKey(use.mirrors.database.verifierKey);
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  isAcknowledged(kind: string, entry: Entry): boolean {
    return this.#acknowledged.has(`${kind} ${entry.name}`);
  }

  /**
   * True when nothing can be served any more by the rules: its manifest is damaged, or it names a zip that no upstream
   * has (the same files, written otherwise, once came from a mirror that flips bits) and that zip is gone.
   */
  isDoomed(kind: FileKind, entry: Entry): boolean {
    const { name, id } = entry;
    if (this.#doomed.has(`mod ${name}`)) return true;
    if (kind !== "zip") return false;
    if (this.#doomed.has(`zip ${name}`)) return true;
    const manifest = this.#use.disk.find(versionKey(id, "zip.manifest"));
    if (manifest === undefined || this.#use.disk.find(versionKey(id, "zip"))?.isRotten === false) return false;
    return !Buffer.from(manifest.bytes).includes(entry.sha256.zip);
  }

  /** True when some file of it was damaged or removed. */
  wasHarmed({ name }: Entry): boolean {
    return ["info", "mod", "zip"].some((kind) => this.#harmedMs.has(`${kind} ${name}`));
  }

  /** A request sets out. Returns what must be told its outcome; that throws a Violation. */
  begins(wish: Wish): (outcome: Outcome) => Promise<void> {
    const fromMs = this.#use.nowMs();
    const wasAcknowledged = "entry" in wish && this.isAcknowledged(wish.kind, wish.entry);
    const path = "path" in wish && wish.kind === "list" ? wish.path : undefined;
    const shown = path !== undefined && this.#count(path, 0) === 0 ? this.#shown.get(path) : undefined;
    const must = "path" in wish ? this.#mustBeListed(wish.path) : [];
    if (path !== undefined) this.#count(path, 1);
    return async (outcome) => {
      if (path !== undefined) this.#count(path, -1);
      const span = { fromMs, toMs: this.#use.nowMs() };
      try {
        if (outcome.kind === "failure" || outcome.kind === "broken")
          this.#failed(wish, outcome, { span, wasAcknowledged, must, shown });
        if (outcome.kind === "answer") await this.#answered(wish, outcome, { span, must, shown });
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        throw new Violation(`${describe(wish)}, asked at ${(fromMs / 1000).toFixed(4)} s: ${error.message}`);
      }
    };
  }

  /** The disk has a bad while. */
  sick(untilMs: number): void {
    this.#sickUntilMs = Math.max(this.#sickUntilMs, untilMs);
  }

  /** An eviction begins. Returns what must be told its end. Until it has ended, whoever is given the version has no promise. */
  evicts({ id, name }: Entry): () => void {
    const count = (step: number): void => {
      this.#evicting.set(name, (this.#evicting.get(name) ?? 0) + step);
      this.#evictedMs.set(name, this.#use.nowMs());
      for (const file of ["info", "mod", "zip"] as const) {
        this.#evicted.add(versionKey(id, file));
        this.#acknowledged.delete(`${file} ${name}`);
      }
      // It may have been in the list only because it was kept.
      const shown = this.#shown.get(id.path);
      if (shown !== undefined)
        this.#shown.set(id.path, new Set([...shown].filter((version) => version !== id.version)));
    };
    count(1);
    return () => count(-1);
  }

  /** Something was done to an object behind the server's back. */
  harmed(key: StorageKey): void {
    const now = this.#use.nowMs();
    if (/\/sumdb\//.test(key)) this.#isSumdbHarmed = true;
    const listed = /^(?:modules|state\/listings)\/(.+)\/@v\/(?:list|list[.]json|latest[.]json)$/.exec(key);
    if (listed !== null) this.#shown.delete(unescapePath(listed[1] ?? ""));
    const file = fileOf(key);
    if (file === undefined) return;
    // A server takes a rotten file away before it puts the right one in its place: a crash between leaves none.
    this.#evicted.add(key);
    const { name, kind } = file;
    const isManifest = kind.endsWith(".manifest");
    if (isManifest) this.#doomed.add(`${kind.slice(0, 3)} ${name}`);
    const lost = kind === "zip" || kind === "zip.manifest" ? ["zip"] : ["info", "mod", ...(isManifest ? ["zip"] : [])];
    for (const each of lost) {
      this.#acknowledged.delete(`${each} ${name}`);
      this.#harmedMs.set(`${each} ${name}`, now);
    }
  }

  /**
   * Objects whose change was never acknowledged are gone with the power. Who was given what they name had it a moment
   * before it was durable: no promise was made for that.
   */
  lost(keys: readonly StorageKey[]): number {
    let count = 0;
    for (const key of keys) {
      const file = fileOf(key);
      if (/\/sumdb\//.test(key)) this.#isSumdbHarmed = true;
      if (file === undefined) continue;
      for (const kind of file.kind === "zip.manifest" ? ["zip"] : file.kind === "mod.manifest" ? ["info", "mod"] : [])
        if (this.#acknowledged.delete(`${kind} ${file.name}`)) count++;
      if (file.kind === "mod.manifest") this.#first.delete(`info ${file.name}`);
      if (file.kind === "zip.manifest") this.#first.delete(`zip ${file.name}`);
    }
    return count;
  }

  /** After a crash: a manifest is the commit point, so that what it names is there and is what it says. */
  checkDisk(): void {
    const { disk } = this.#use;
    for (const key of disk.keys()) {
      const file = key.endsWith(".manifest") ? fileOf(key) : undefined;
      const inode = disk.find(key);
      if (file === undefined || inode === undefined || inode.isRotten) continue;
      const manifest = JSON.parse(Buffer.from(inode.bytes).toString()) as Readonly<Record<string, { sha256: string }>>;
      for (const member of file.kind === "zip.manifest" ? ["zip"] : ["info", "mod"]) {
        const memberKey = key.replace(/(mod|zip)[.]manifest$/, member) as StorageKey;
        const found = disk.find(memberKey);
        if (found !== undefined && !found.isRotten) this.#evicted.delete(memberKey);
        if (found?.isRotten === true || this.#evicted.has(memberKey)) continue;
        if (found === undefined) throw new Violation(`after a crash ${key} names ${member}, and there is none`);
        if (writtenSha256(found) !== manifest[member]?.sha256)
          throw new Violation(`after a crash ${key} names other bytes than ${memberKey} has`);
      }
    }
  }

  #count(path: string, step: number): number {
    const count = (this.#listsUnderWay.get(path) ?? 0) + step;
    this.#listsUnderWay.set(path, count);
    return count;
  }

  /** Versions that are kept whole are in every list from now on. */
  #mustBeListed(path: string): readonly string[] {
    return catalogue
      .filter((entry) => entry.id.path === path && entry.isListed && this.isAcknowledged("zip", entry))
      .map(({ id }) => id.version);
  }

  #failed(
    wish: Wish,
    outcome: Extract<Outcome, { readonly kind: "failure" | "broken" }>,
    known: {
      readonly span: Span;
      readonly wasAcknowledged: boolean;
      readonly must: readonly string[];
      readonly shown: ReadonlySet<string> | undefined;
    },
  ): void {
    const { span, wasAcknowledged, must, shown } = known;
    const said =
      outcome.kind === "broken"
        ? `a broken body: ${outcome.message}`
        : `${outcome.code} (${outcome.status}): ${outcome.message}`;
    const wasSick = span.fromMs < this.#sickUntilMs;
    if (wish.kind === "lookup" && wasAcknowledged && !this.#isSumdbHarmed && !wasSick)
      throw new Violation(`a record that was given out before, and now ${said}`);
    if (wish.kind === "lookup" || wish.kind === "head") return;
    const status = outcome.kind === "failure" ? outcome.status : undefined;
    if ("entry" in wish) {
      const isHarmed = this.#isHarmedSince(wish.kind, wish.entry, span);
      if (wasAcknowledged && !isHarmed && !wasSick) throw new Violation(`it was given out before, and now ${said}`);
      if (status === 404 && wasAcknowledged && !isHarmed)
        throw new Violation(`it was given out before, and now ${said}`);
      if (status === 404 && !wish.keptOnly && !this.#mayBeAbsent([wish.entry], span))
        throw new Violation(`absent, they say: ${said}`);
      // Who finds the damage hears of it; the next one has it mended. What was only evicted is fetched again at once.
      const isHurt =
        isHarmed ||
        (!this.isAcknowledged(wish.kind, wish.entry) && this.#harmedMs.has(`${wish.kind} ${wish.entry.name}`));
      const isWell = !wasSick && !isHurt && !this.isDoomed(wish.kind, wish.entry);
      if (!wish.keptOnly && isWell && this.#isCalm([wish.entry], span))
        throw new Violation(`all is well, and still ${said}`);
      return;
    }
    const entries = catalogue.filter(({ id }) => id.path === wish.path);
    // What is kept alone would be a list that shrank: without an earlier one, doubt is the right answer.
    if (wish.kind === "list" && status === 404 && must.length > 0)
      throw new Violation(`versions of it are kept, and now ${said}`);
    if (wish.kind === "list" && !wasSick && shown !== undefined && this.#isDead(span))
      throw new Violation(`a list was shown before, and now ${said}`);
    if (status === 404 && !wish.keptOnly && !this.#mayBeAbsent(entries, span))
      throw new Violation(`absent, they say: ${said}`);
    if (!wish.keptOnly && !wasSick && entries.some((entry) => this.#isCalm([entry], span)))
      throw new Violation(`all is well, and still ${said}`);
  }

  async #answered(
    wish: Wish,
    outcome: Extract<Outcome, { readonly kind: "answer" }>,
    known: { readonly span: Span; readonly must: readonly string[]; readonly shown: ReadonlySet<string> | undefined },
  ): Promise<void> {
    const { bytes } = outcome;
    switch (wish.kind) {
      case "list":
        this.#listed(wish, parseList(bytes), known);
        return;
      case "latest":
        if (!catalogue.some((entry) => entry.id.path === wish.path && isOneOf(bytes, entry.infos)))
          throw new Violation(`@latest says ${Buffer.from(bytes).toString()}`);
        return;
      case "head": {
        const { size } = openCheckpoint(bytes, this.#verifier);
        const { database } = this.#use.mirrors;
        if (size > database.size || (await database.head(size)) !== Buffer.from(bytes).toString())
          throw new Violation(`a head that the database never signed`);
        return;
      }
      case "lookup": {
        const { record, sums } = openLookup(bytes, wish.entry.id, this.#verifier);
        if (
          sums.zip !== wish.entry.h1.zip ||
          sums.mod !== wish.entry.h1.mod ||
          !record.text.startsWith(wish.entry.id.path)
        )
          throw new Violation(`another record: ${record.text}`);
        this.#acknowledge("lookup", wish.entry, known.span);
        return;
      }
      case "info":
        if (!isOneOf(bytes, wish.entry.infos)) throw new Violation(`wrong bytes: ${Buffer.from(bytes).toString()}`);
        this.#checkSame(wish.kind, wish.entry, bytes);
        break;
      case "mod":
        if (sha256(bytes) !== wish.entry.sha256.mod) throw new Violation("wrong bytes");
        break;
      case "zip":
        // A zip may be written in many ways; what is on record is what its files are.
        if (sha256(bytes) !== wish.entry.sha256.zip && h1Of(bytes, wish.entry) !== wish.entry.h1.zip)
          throw new Violation("wrong bytes");
        this.#checkSame(wish.kind, wish.entry, bytes);
    }
    if (outcome.sha256 !== sha256(bytes) && !this.isDoomed(wish.kind, wish.entry))
      throw new Violation("right bytes under the entity tag of others");
    this.#acknowledge(wish.kind, wish.entry, known.span);
  }

  #checkSame(kind: "info" | "zip", { name }: Entry, bytes: Uint8Array): void {
    const found = sha256(bytes);
    const first = this.#first.get(`${kind} ${name}`);
    if (first !== undefined && first !== found) throw new Violation("other bytes than were given out first");
    this.#first.set(`${kind} ${name}`, found);
  }

  #listed(
    { path, keptOnly }: { readonly path: string; readonly keptOnly: boolean },
    versions: readonly string[],
    {
      span,
      must,
      shown,
    }: { readonly span: Span; readonly must: readonly string[]; readonly shown: ReadonlySet<string> | undefined },
  ): void {
    const found = new Set(versions);
    const published = this.#use.mirrors.published.filter(({ id, isListed }) => isListed && id.path === path);
    const odd = versions.filter((version) => !published.some(({ id }) => id.version === version));
    if (odd.length > 0) throw new Violation(`the list names ${odd.join(", ")}, which nobody ever published`);
    const lost = must.filter((version) => !found.has(version));
    if (lost.length > 0) throw new Violation(`the list lacks ${lost.join(", ")}, which is kept`);
    const gone = [...(shown ?? [])].filter((version) => !found.has(version));
    if (gone.length > 0 && this.#isDead(span)) throw new Violation(`the list lacks ${gone.join(", ")}, which it had`);
    // One that lies damaged on the disk is remembered until the process ends, and no longer.
    const file = this.#use.disk.find(storageKey(`state/listings/${escapePath(parsePath(path))}/@v/list.json`));
    if (file?.isRotten === true) this.#shown.delete(path);
    else if (!keptOnly) this.#shown.set(path, found);
  }

  #isHarmedSince(kind: FileKind | "lookup", { name }: Entry, { fromMs }: Span): boolean {
    if ((this.#harmedMs.get(`${kind} ${name}`) ?? -1) >= fromMs) return true;
    if (kind === "lookup") return false;
    return (this.#evicting.get(name) ?? 0) > 0 || (this.#evictedMs.get(name) ?? -1) >= fromMs;
  }

  #acknowledge(kind: FileKind | "lookup", entry: Entry, span: Span): void {
    const { id, name } = entry;
    const key = `${kind} ${name}`;
    if (this.#isHarmedSince(kind, entry, span) || this.#doomed.has(`mod ${name}`)) return;
    if (kind === "zip" && this.#doomed.has(`zip ${name}`)) return;
    // An open file outlives its name: what was read from one that was evicted meanwhile is given out once, not kept.
    if (kind !== "lookup" && this.#use.disk.find(versionKey(id, kind))?.isRotten !== false) return;
    this.#acknowledged.add(key);
  }

  /** No upstream could say anything in this span; the store was well whenever a list may have been written down. */
  #isDead({ fromMs }: Span): boolean {
    const isDead = this.#use.mirrors.all.every((mirror) => mirror.wasDeadSince(fromMs));
    return isDead && this.#sickUntilMs === Number.NEGATIVE_INFINITY;
  }

  /** True when a 404 is the truth, or was said by somebody who is believed while those who know better are silent. */
  #mayBeAbsent(entries: readonly Entry[], { fromMs }: Span): boolean {
    const { official, all } = this.#use.mirrors;
    const sinceMs = fromMs - negativeMs;
    if (entries.every((entry) => !official.has(entry, sinceMs))) return true;
    if (!official.wasTroubledSince(fromMs - echoMs)) return false;
    return all.some(
      (mirror) =>
        mirror !== official &&
        (mirror.wasTroubledSince(fromMs - echoMs) || entries.some((entry) => !mirror.has(entry, sinceMs))),
    );
  }

  /** Nothing was wrong with anybody for a good while, and everybody who knows has it. */
  #isCalm(entries: readonly Entry[], { fromMs }: Span): boolean {
    const { official, all, databaseTrouble } = this.#use.mirrors;
    const sinceMs = fromMs - echoMs;
    if (all.some((mirror) => mirror.wasTroubledSince(sinceMs)) || databaseTrouble.wasTroubledSince(sinceMs))
      return false;
    return entries.every((entry) => official.has(entry, sinceMs));
  }
}

/** Of a zip's files; undefined when it is no zip of this version. */
function h1Of(bytes: Uint8Array, { id }: Entry): string | undefined {
  try {
    return checkModuleZip(bytesSource(bytes), id).h1;
  } catch {
    return undefined;
  }
}

function isOneOf(bytes: Uint8Array, of: readonly Uint8Array[]): boolean {
  return of.some((each) => Buffer.compare(each, bytes) === 0);
}

function fileOf(key: string): { readonly name: string; readonly kind: string } | undefined {
  const [, path, version, kind] =
    /^modules\/(.+)\/@v\/([^/]+?)[.](info|mod|zip|mod[.]manifest|zip[.]manifest)$/.exec(key) ?? [];
  if (path === undefined || version === undefined || kind === undefined) return undefined;
  return { name: `${unescapePath(path)}@${unescapeVersion(version)}`, kind };
}
