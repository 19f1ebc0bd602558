// Reads an index of new versions now and then. Of modules that are known here the list is asked for anew, and with
// prefetching the versions are brought in; of all others nothing is asked.

import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { timeLimit } from "#services/store/ports.ts";
import { loadCursor, saveCursor } from "./cursor.ts";
import type { Cursor } from "./cursor.ts";
import type { Follower } from "./follower.ts";
import { parseIndexPage } from "./index-lines.ts";
import type { IndexLine } from "./index-lines.ts";
import type { IndexSource, Modules } from "./ports.ts";

export type IndexPollUse = {
  readonly source: IndexSource;
  /** `url` "" for none. */
  readonly settings: () => { readonly url: string; readonly everyMs: number; readonly prefetch: boolean };
  readonly modules: Modules;
  readonly follower: Pick<Follower, "announce">;
  readonly storage: Storage;
  /** For how long something takes. */
  readonly clock: Clock;
  /** For dates. */
  readonly wall: Pick<Clock, "now">;
  readonly events: EventSink;
  readonly meter: Pick<Meter, "indexLines">;
  readonly stop: AbortSignal;
};

/** What index.golang.org gives at most. */
const pageLines = 2_000;
/** A poll that finds more goes on at the next one: a day of the public index. */
const maxPages = 25;
const pageMs = 60_000;
/** One list that is asked for. */
const listMs = 60_000;
/** While no index is configured, how often the setting is looked at. */
const offMs = 10_000;
/** An index that fails is asked ever more seldom, up to this. */
const maxWaitMs = 60 * 60_000;

export class IndexPoll {
  readonly #use: IndexPollUse;
  #failures = 0;
  #trouble: string | undefined;

  constructor(use: IndexPollUse) {
    this.#use = use;
  }

  /** Polls until the server stops. */
  async run(): Promise<void> {
    const { clock, settings, stop } = this.#use;
    while (!stop.aborted) {
      if (settings().url !== "") await this.poll();
      await clock.sleep(this.#waitMs(), stop).catch(() => undefined); // stopped
    }
  }

  /** Reads what is new, once. Never throws: a failure is told, and the next poll goes on from where this one came. */
  async poll(): Promise<void> {
    const { events, settings, stop } = this.#use;
    const { url } = settings();
    try {
      await this.#read(url);
      this.#failures = 0;
      this.#trouble = undefined;
    } catch (error) {
      if (stop.aborted) return;
      this.#failures++;
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#trouble) events.emit({ name: "sync.index-failed", index: withoutQuery(url), reason });
      this.#trouble = reason;
    }
  }

  #waitMs(): number {
    const { url, everyMs } = this.#use.settings();
    if (url === "") return offMs;
    return this.#failures === 0 ? everyMs : Math.max(everyMs, Math.min(everyMs * 2 ** this.#failures, maxWaitMs));
  }

  async #read(url: string): Promise<void> {
    const { source, storage, clock, stop } = this.#use;
    let cursor = await this.#start(url);
    for (let page = 0; page < maxPages; page++) {
      const signal = AbortSignal.any([stop, timeLimit(clock, pageMs)]);
      const text = await source.page(url, { since: cursor.since, limit: pageLines }, signal);
      const { lines, malformed, size, last } = parseIndexPage(text);
      if (size > 0 && last === undefined) throw new Error("what it gave is no index");
      const known = new Set(cursor.seen);
      const fresh = lines.filter(({ id }) => !known.has(formatModuleVersion(id)));
      this.#use.meter.indexLines("malformed", malformed);
      this.#use.meter.indexLines("repeated", lines.length - fresh.length);
      await this.#apply(fresh);
      const next = advanced(cursor, lines, last);
      const moved = next.since !== cursor.since || next.seen.length !== cursor.seen.length;
      if (moved) await saveCursor(storage, next);
      if (size < pageLines) return;
      if (next.since === cursor.since) throw new Error(`more than ${pageLines} lines with one timestamp`);
      cursor = next;
    }
  }

  /** Another index, or none yet: from now on. Years of history are not news. */
  async #start(url: string): Promise<Cursor> {
    const { storage, wall } = this.#use;
    const known = await loadCursor(storage);
    if (known?.index === url) return known;
    const fresh = { index: url, since: new Date(wall.now()).toISOString(), seen: [] };
    await saveCursor(storage, fresh);
    return fresh;
  }

  async #apply(lines: readonly IndexLine[]): Promise<void> {
    const { modules, meter, stop } = this.#use;
    const byPath = Map.groupBy(lines, ({ id }) => id.path);
    for (const [path, ofModule] of byPath) {
      stop.throwIfAborted();
      const fate = modules.isPrivate(path) ? "private" : (await modules.isKnown(path)) ? "taken" : "ignored";
      meter.indexLines(fate, ofModule.length);
      if (fate === "taken") await this.#take(ofModule.map(({ id }) => id));
    }
  }

  async #take(ids: readonly ModuleVersion[]): Promise<void> {
    const { modules, follower, settings, clock, stop } = this.#use;
    const [first] = ids;
    if (first === undefined) return;
    await modules.forget(first.path);
    if (settings().prefetch)
      for (const id of ids)
        if (!isPseudoVersion(id.version)) void follower.announce({ candidates: [id], source: "index" });
    // An upstream that does not answer now is asked by the next client: nothing stale is left.
    await modules.list(first.path, AbortSignal.any([stop, timeLimit(clock, listMs)])).catch(() => undefined);
  }
}

/** The newest timestamp, and all that has it: the index gives all of them again when it is asked from there. */
function advanced(cursor: Cursor, lines: readonly IndexLine[], last: string | undefined): Cursor {
  if (last === undefined || Date.parse(last) < Date.parse(cursor.since)) return cursor;
  const seen = lines.filter(({ timestamp }) => timestamp === last).map(({ id }) => formatModuleVersion(id));
  return { ...cursor, since: last, seen };
}

/** A query may be a secret. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, "").replace(/\/\/[^/@]*@/, "//");
}
