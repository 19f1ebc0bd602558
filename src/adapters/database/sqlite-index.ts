// The index over a store, in SQLite: one file beside what it indexes. Several processes may use it at a time.
//
// Nothing in it must survive a power cut, so commits are not synced one by one; a file that SQLite finds damaged is put
// aside and begun anew. Calls take well below a millisecond, or one transaction for a batch of at most maxBatch rows.

import { rename, rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, StatementSync } from "node:sqlite";
import type {
  IndexedVersion,
  IndexFacts,
  IndexOrder,
  IndexPage,
  IndexTotals,
  StoreIndex,
  Use,
} from "#services/tending/ports.ts";

/** Rows in one transaction: some 10 ms, the longest that others wait for it. */
const maxBatch = 1_000;
/** How long a process waits for another one's transaction. */
const busyMs = 5_000;
/** Without a call for so long the file is closed: an idle server holds nothing open on its disk. */
const idleMs = 5_000;
/** Of the database in memory, per process; the rest is read from the file. */
const cacheKiB = 8 * 1024;

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -${cacheKiB};
  CREATE TABLE IF NOT EXISTS versions (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL, version TEXT NOT NULL, stage TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT,
    upstream TEXT NOT NULL, private INTEGER NOT NULL, first_seen INTEGER NOT NULL, evicted INTEGER NOT NULL,
    used INTEGER NOT NULL, uses INTEGER NOT NULL DEFAULT 0, recent INTEGER NOT NULL DEFAULT 0,
    main INTEGER NOT NULL DEFAULT 0, queued INTEGER NOT NULL, checked INTEGER NOT NULL, round INTEGER NOT NULL,
    UNIQUE (path, version)
  );
  CREATE INDEX IF NOT EXISTS by_use ON versions (used, id) WHERE evicted = 0;
  CREATE INDEX IF NOT EXISTS by_main ON versions (recent, queued, id) WHERE evicted = 0 AND main = 1;
  CREATE INDEX IF NOT EXISTS by_small ON versions (queued, id) WHERE evicted = 0 AND main = 0;
  CREATE INDEX IF NOT EXISTS by_check ON versions (checked, id) WHERE evicted = 0;
  CREATE INDEX IF NOT EXISTS by_uses ON versions (uses DESC) WHERE uses > 0;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

const columns =
  "id, path, version, stage, bytes, sha256, upstream, private, first_seen, evicted, used, uses, recent, main, queued, checked";

/** For each order: which versions, and the columns that sort them. */
const orders: Readonly<Record<IndexOrder, { readonly where: string; readonly by: readonly string[] }>> = {
  unused: { where: "evicted = 0", by: ["used", "id"] },
  small: { where: "evicted = 0 AND main = 0", by: ["queued", "id"] },
  main: { where: "evicted = 0 AND main = 1", by: ["recent", "queued", "id"] },
  unchecked: { where: "evicted = 0", by: ["checked", "id"] },
};

type Row = Readonly<Record<string, string | number | null>>;
type Named = { readonly path: string; readonly version: string };

/** Opens the index at `file`, beginning one when there is none or the one that is there is damaged. */
export async function openSqliteIndex(file: string): Promise<SqliteIndex> {
  try {
    return new SqliteIndex(file);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Nobody can use it; what it said can be said again. One damaged file is kept, for whoever wants to know why.
    await rename(file, `${file}.damaged`);
    for (const end of ["-wal", "-shm"]) await rm(`${file}${end}`, { force: true });
    return new SqliteIndex(file);
  }
}

export class SqliteIndex implements StoreIndex {
  readonly #file: string;
  #opened: DatabaseSync | undefined;
  #closing: NodeJS.Timeout | undefined;
  readonly #prepared = new Map<string, StatementSync>();

  /** Use openSqliteIndex(). */
  constructor(file: string) {
    this.#file = file;
    this.#open();
  }

  get #db(): DatabaseSync {
    const db = this.#opened ?? this.#open();
    if (this.#file !== ":memory:" && this.#closing === undefined)
      this.#closing = setTimeout(() => this.#close(), idleMs).unref();
    this.#closing?.refresh();
    return db;
  }

  #open(): DatabaseSync {
    const db = new DatabaseSync(this.#file, { timeout: busyMs });
    try {
      db.exec(schema);
    } catch (error) {
      db.close();
      throw error;
    }
    this.#opened = db;
    return db;
  }

  #close(): void {
    clearTimeout(this.#closing);
    this.#closing = undefined;
    this.#prepared.clear();
    this.#opened?.close();
    this.#opened = undefined;
  }

  put(facts: readonly IndexFacts[], atMs: number): Promise<void> {
    const round = this.#fact("round");
    const put = this.#statement(`
      INSERT INTO versions (path, version, stage, bytes, sha256, upstream, private, first_seen, evicted, used, queued, checked, round)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (path, version) DO UPDATE SET
        stage = excluded.stage, bytes = excluded.bytes, sha256 = excluded.sha256, upstream = excluded.upstream,
        private = excluded.private, first_seen = excluded.first_seen, round = max(round, excluded.round),
        main = CASE WHEN evicted = 1 AND excluded.evicted = 0 THEN 1 ELSE main END,
        used = CASE WHEN evicted = 1 AND excluded.evicted = 0 THEN excluded.queued ELSE used END,
        queued = CASE WHEN evicted = 1 AND excluded.evicted = 0 THEN excluded.queued ELSE queued END,
        evicted = excluded.evicted`);
    return this.#inBatches(facts, (one) => {
      const { path, version, stage, bytes, sha256 = null, upstream, isPrivate, firstSeenMs, isEvicted } = one;
      const used = Math.min(firstSeenMs, atMs);
      put.run(
        path,
        version,
        stage,
        bytes,
        sha256,
        upstream,
        Number(isPrivate),
        firstSeenMs,
        Number(isEvicted),
        used,
        atMs,
        used,
        round,
      );
    });
  }

  async used(uses: readonly Use[], atMs: number): Promise<readonly Use[]> {
    const set = this.#statement(`
      UPDATE versions SET used = max(used, ?),
        uses = uses + CASE WHEN stage = 'zip' THEN ? ELSE ? END,
        recent = min(3, recent + CASE WHEN stage = 'zip' THEN ? ELSE ? END)
      WHERE path = ? AND version = ?`);
    const unknown: Use[] = [];
    await this.#inBatches(uses, (use) => {
      const { path, version, zips, mods } = use;
      if (set.run(atMs, zips, mods, zips, mods, path, version).changes === 0) unknown.push(use);
    });
    return unknown;
  }

  evicted(versions: readonly Named[]): Promise<void> {
    const set = this.#statement(
      "UPDATE versions SET evicted = 1, bytes = 0, recent = 0 WHERE path = ? AND version = ?",
    );
    return this.#inBatches(versions, ({ path, version }) => set.run(path, version));
  }

  promote(versions: readonly Named[], atMs: number): Promise<void> {
    const set = this.#statement("UPDATE versions SET main = 1, recent = 0, queued = ? WHERE path = ? AND version = ?");
    return this.#inBatches(versions, ({ path, version }) => set.run(atMs, path, version));
  }

  passedOver(versions: readonly Named[], less: number): Promise<void> {
    const set = this.#statement("UPDATE versions SET recent = max(0, recent - ?) WHERE path = ? AND version = ?");
    return this.#inBatches(versions, ({ path, version }) => set.run(less, path, version));
  }

  checked(versions: readonly Named[], atMs: number): Promise<void> {
    const set = this.#statement("UPDATE versions SET checked = ? WHERE path = ? AND version = ?");
    return this.#inBatches(versions, ({ path, version }) => set.run(atMs, path, version));
  }

  find({ path, version }: Named): Promise<IndexedVersion | undefined> {
    return this.#now(() => {
      const row = this.#statement(`SELECT ${columns} FROM versions WHERE path = ? AND version = ?`).get(path, version);
      return row && versionOf(row as Row);
    });
  }

  page(order: IndexOrder, after: string | undefined, limit: number): Promise<IndexPage> {
    const { where, by } = orders[order];
    return this.#now(() => {
      const from = after === undefined ? [] : (JSON.parse(after) as SQLInputValue[]);
      const beyond = after === undefined ? "" : ` AND (${by.join(", ")}) > (${by.map(() => "?").join(", ")})`;
      const select = `SELECT ${columns} FROM versions WHERE ${where}${beyond} ORDER BY ${by.join(", ")} LIMIT ?`;
      const rows = this.#statement(select).all(...from, limit) as Row[];
      const last = rows.length < limit ? undefined : rows.at(-1);
      return {
        versions: rows.map((row) => ({
          ...versionOf(row),
          recent: Number(row["recent"]),
          checkedMs: Number(row["checked"]),
        })),
        next: last && JSON.stringify(by.map((column) => last[column])),
      };
    });
  }

  hottest(limit: number): Promise<readonly IndexedVersion[]> {
    return this.#now(() =>
      (
        this.#statement(`SELECT ${columns} FROM versions WHERE uses > 0 ORDER BY uses DESC, id LIMIT ?`).all(
          limit,
        ) as Row[]
      ).map(versionOf),
    );
  }

  totals(): Promise<IndexTotals> {
    return this.#now(() => {
      const row = this.#statement(
        `
        SELECT coalesce(sum(evicted = 0), 0) AS versions, coalesce(sum(evicted = 0 AND stage = 'zip'), 0) AS zips,
          coalesce(sum(bytes), 0) AS bytes, coalesce(sum(evicted), 0) AS evicted,
          coalesce(sum(CASE WHEN main = 0 THEN bytes ELSE 0 END), 0) AS small FROM versions`,
      ).get() as Row;
      return {
        versions: Number(row["versions"]),
        zips: Number(row["zips"]),
        bytes: Number(row["bytes"]),
        evicted: Number(row["evicted"]),
        smallBytes: Number(row["small"]),
      };
    });
  }

  beginRebuild(): Promise<number> {
    return this.#now(() => {
      const round = this.#fact("round") + 1;
      this.#setFact("round", round);
      return round;
    });
  }

  endRebuild(round: number): Promise<void> {
    return this.#now(() => {
      this.#statement("DELETE FROM versions WHERE round < ?").run(round);
      this.#setFact("whole", Number(this.#fact("doubted") < round));
    });
  }

  doubt(): Promise<void> {
    return this.#now(() => {
      this.#setFact("whole", 0);
      this.#setFact("doubted", this.#fact("round"));
    });
  }

  isWhole(): Promise<boolean> {
    return this.#now(() => this.#fact("whole") === 1);
  }

  close(): Promise<void> {
    return this.#now(() => this.#close());
  }

  /** Rows in transactions of a bounded length; others get a turn between two. */
  async #inBatches<T>(rows: readonly T[], run: (row: T) => void): Promise<void> {
    for (let at = 0; at < rows.length; at += maxBatch) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        for (const row of rows.slice(at, at + maxBatch)) run(row);
        this.#db.exec("COMMIT");
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    }
  }

  /** Calls are quick and not concurrent; failures come as rejections all the same. */
  #now<T>(call: () => T): Promise<T> {
    return new Promise((resolve) => resolve(call()));
  }

  #statement(sql: string): StatementSync {
    const db = this.#db;
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, (statement = db.prepare(sql)));
    return statement;
  }

  #fact(name: string): number {
    return Number(this.#statement("SELECT value FROM facts WHERE name = ?").get(name)?.["value"] ?? 0);
  }

  #setFact(name: string, value: number): void {
    this.#statement(
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    ).run(name, value);
  }
}

function versionOf(row: Row): IndexedVersion {
  return {
    path: String(row["path"]),
    version: String(row["version"]),
    stage: row["stage"] === "zip" ? "zip" : "mod",
    bytes: Number(row["bytes"]),
    sha256: row["sha256"] === null ? undefined : String(row["sha256"]),
    upstream: String(row["upstream"]),
    isPrivate: row["private"] === 1,
    firstSeenMs: Number(row["first_seen"]),
    isEvicted: row["evicted"] === 1,
    usedMs: Number(row["used"]),
    uses: Number(row["uses"]),
  };
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, extended codes too; and a table that is not ours. */
function isDamage(error: unknown): boolean {
  const { errcode, message } = error as { readonly errcode?: number; readonly message: string };
  return (
    errcode !== undefined &&
    ([11, 26].includes(errcode & 0xff) || (errcode === 1 && /no such column|has no column/.test(message)))
  );
}
