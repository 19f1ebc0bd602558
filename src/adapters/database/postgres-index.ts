// The index over a store, in PostgreSQL: one for all nodes over that store. Several stores may share a database.
//
// Each call is one statement per batch of at most maxBatch rows, committed by itself. Rows are locked in the order of
// their keys, so that two batches wait for each other and never for ever. What is the same in SQLite is said there.

import { createHash } from "node:crypto";
import type {
  IndexCandidate,
  IndexedVersion,
  IndexFacts,
  IndexOrder,
  IndexPage,
  IndexTotals,
  SharedWork,
  StoreIndex,
  Use,
} from "#services/tending/ports.ts";
import type { PoolClient } from "./_driver-postgres.ts";
import { maxHeld, PostgresPool } from "./_postgres-pool.ts";
import type { Ask, PostgresDriver, PostgresState } from "./_postgres-pool.ts";
import { makeSchema } from "./_postgres-schema.ts";
import { readPostgresUrl } from "./_postgres-url.ts";

export type PostgresIndexOptions = {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full` */
  readonly url: string;
  /** Authorities to trust, PEM. */
  readonly ca: string | undefined;
  /** Which store: the nodes that say the same share one index. */
  readonly name: string;
  /** Told when the server is away, and when it is back; not before the first call. */
  readonly onState?: (state: PostgresState) => void;
  /** Longest statement, milliseconds; for tests. */
  readonly statementMs?: number;
  /** Longest silence of a node that does work alone, milliseconds; for tests. */
  readonly silentMs?: number;
};

/** Rows in one statement. */
const maxBatch = 1_000;
/** Rows in one page, whatever is asked. */
const maxPage = 10_000;
/** While work is done alone the connection that proves it is tried this often. */
const proveMs = 5_000;
/**
 * The server ends the connection of a node that was silent for so long while it has a lock: one that is paused, or whose
 * machine is gone, would keep it until TCP gives up, which takes hours. PostgreSQL 14 and later.
 */
const silentMs = 30_000;

const columns =
  "id, path, version, stage, bytes, sha256, upstream, private, first_seen, evicted, used, uses, recent, main, queued, checked";

/** For each order: which versions, and the columns that sort them. */
const orders: Readonly<Record<IndexOrder, { readonly where: string; readonly by: readonly string[] }>> = {
  unused: { where: "NOT evicted", by: ["used", "id"] },
  small: { where: "NOT evicted AND NOT main", by: ["queued", "id"] },
  main: { where: "NOT evicted AND main", by: ["recent", "queued", "id"] },
  unchecked: { where: "NOT evicted", by: ["checked", "id"] },
};

/** The driver gives 64-bit numbers as text. */
type Row = Readonly<Record<string, string | number | boolean | null>>;
type Named = { readonly path: string; readonly version: string };

const reading: Ask = { writes: false, again: true };
const setting: Ask = { writes: true, again: true };
/** Done twice is not done once: when nobody knows whether it was done, the caller is told that it was not. */
const counting: Ask = { writes: true, again: false };

/**
 * Opens no connection yet: the first call does, and makes the tables. Throws IndexUnavailable when the URL cannot be
 * used. Every call of the index may reject with it, soon, and works again when the server is back.
 */
export async function openPostgresIndex(options: PostgresIndexOptions): Promise<StoreIndex> {
  const place = readPostgresUrl(options.url, options.ca);
  const driver = await import("./_driver-postgres.ts");
  return new PostgresIndex({ ...options, place, driver });
}

/** Why such a URL cannot be used; undefined when it can. */
export function postgresUrlProblem(url: string): string | undefined {
  try {
    readPostgresUrl(url, undefined);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

type Opening = PostgresIndexOptions & {
  readonly place: ReturnType<typeof readPostgresUrl>;
  readonly driver: PostgresDriver;
};

class PostgresIndex implements StoreIndex {
  readonly #name: string;
  readonly #pool: PostgresPool;
  readonly #silentMs: number;
  #store = 0;
  #held = 0;

  constructor({ place, driver, name, onState = () => undefined, statementMs, silentMs: silent = silentMs }: Opening) {
    this.#name = name;
    this.#silentMs = silent;
    this.#pool = new PostgresPool({
      place,
      driver,
      prepare: (client) => this.#prepare(client),
      onState,
      ...(statementMs !== undefined && { statementMs }),
    });
  }

  async #prepare(client: PoolClient): Promise<void> {
    await makeSchema(client);
    const find = () => client.query<Row>("SELECT id FROM granary.stores WHERE name = $1", [this.#name]);
    let { rows } = await find();
    if (rows.length === 0) {
      await client.query("INSERT INTO granary.stores (name) VALUES ($1) ON CONFLICT DO NOTHING", [this.#name]);
      ({ rows } = await find());
    }
    this.#store = Number(rows[0]?.["id"]);
  }

  async put(facts: readonly IndexFacts[], atMs: number): Promise<void> {
    for (const batch of batchesOf(facts))
      await this.#ask(
        setting,
        `
        WITH given AS MATERIALIZED (
          SELECT nextval('granary.arrivals') AS id, u.* FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[],
            $6::text[], $7::text[], $8::boolean[], $9::bigint[], $10::boolean[])
            AS u (path, version, stage, bytes, sha256, upstream, private, first_seen, evicted)
        )
        INSERT INTO granary.versions AS v (id, store, path, version, stage, bytes, sha256, upstream, private, first_seen,
          evicted, used, queued, checked, round)
        SELECT id, $1, path, version, stage, bytes, sha256, upstream, private, first_seen, evicted,
          least(first_seen, $11::bigint), $11, least(first_seen, $11),
          (SELECT round FROM granary.stores WHERE id = $1)
        FROM given ORDER BY path COLLATE "C", version COLLATE "C"
        ON CONFLICT (store, path, version) DO UPDATE SET
          stage = excluded.stage, bytes = excluded.bytes, sha256 = excluded.sha256, upstream = excluded.upstream,
          private = excluded.private, first_seen = excluded.first_seen, round = greatest(v.round, excluded.round),
          main = v.main OR (v.evicted AND NOT excluded.evicted),
          used = CASE WHEN v.evicted AND NOT excluded.evicted THEN excluded.queued ELSE v.used END,
          queued = CASE WHEN v.evicted AND NOT excluded.evicted THEN excluded.queued ELSE v.queued END,
          evicted = excluded.evicted`,
        [
          ...keysOf(batch),
          batch.map(({ stage }) => stage),
          batch.map(({ bytes }) => bytes),
          batch.map(({ sha256 }) => sha256 ?? null),
          batch.map(({ upstream }) => upstream),
          batch.map(({ isPrivate }) => isPrivate),
          batch.map(({ firstSeenMs }) => firstSeenMs),
          batch.map(({ isEvicted }) => isEvicted),
          atMs,
        ],
      );
  }

  async used(uses: readonly Use[], atMs: number): Promise<readonly Use[]> {
    const unknown: Use[] = [];
    for (const batch of batchesOf(uses)) {
      const known = await this.#ask(
        counting,
        `
        WITH held AS MATERIALIZED (
          SELECT v.id, CASE WHEN v.stage = 'zip' THEN u.zips ELSE u.mods END AS more FROM granary.versions v
          JOIN unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS u (path, version, zips, mods)
            ON v.path = u.path AND v.version = u.version
          WHERE v.store = $1 ORDER BY v.path, v.version FOR UPDATE OF v
        )
        UPDATE granary.versions v SET used = greatest(v.used, $6::bigint), uses = v.uses + held.more,
          recent = least(3, v.recent + held.more)
        FROM held WHERE v.id = held.id RETURNING v.path, v.version`,
        [...keysOf(batch), batch.map(({ zips }) => zips), batch.map(({ mods }) => mods), atMs],
      );
      const found = new Set(known.map(keyOf));
      unknown.push(...batch.filter((use) => !found.has(keyOf(use))));
    }
    return unknown;
  }

  async evicted(versions: readonly Named[]): Promise<void> {
    await this.#change(versions, { set: "evicted = true, bytes = 0, recent = 0" });
  }

  async promote(versions: readonly Named[], atMs: number): Promise<void> {
    await this.#change(versions, { set: "main = true, recent = 0, queued = $4::bigint", value: atMs });
  }

  async passedOver(versions: readonly Named[], less: number): Promise<void> {
    await this.#change(versions, { set: "recent = greatest(0, v.recent - $4::integer)", value: less, ask: counting });
  }

  async checked(versions: readonly Named[], atMs: number): Promise<void> {
    await this.#change(versions, { set: "checked = $4::bigint", value: atMs });
  }

  async #change(
    versions: readonly Named[],
    { set, value, ask = setting }: { readonly set: string; readonly value?: number; readonly ask?: Ask },
  ): Promise<void> {
    for (const batch of batchesOf(versions))
      await this.#ask(
        ask,
        `
        WITH held AS MATERIALIZED (
          SELECT v.id FROM granary.versions v JOIN unnest($2::text[], $3::text[]) AS u (path, version)
            ON v.path = u.path AND v.version = u.version
          WHERE v.store = $1 ORDER BY v.path, v.version FOR UPDATE OF v
        )
        UPDATE granary.versions v SET ${set} FROM held WHERE v.id = held.id`,
        [...keysOf(batch), ...(value === undefined ? [] : [value])],
      );
  }

  async find({ path, version }: Named): Promise<IndexedVersion | undefined> {
    const [row] = await this.#ask(
      reading,
      `SELECT ${columns} FROM granary.versions WHERE store = $1 AND path = $2 AND version = $3`,
      [path, version],
    );
    return row && versionOf(row);
  }

  async page(order: IndexOrder, after: string | undefined, limit: number): Promise<IndexPage> {
    const { where, by } = orders[order];
    const from = after === undefined ? [] : (JSON.parse(after) as number[]);
    const beyond =
      after === undefined ? "" : ` AND (${by.join(", ")}) > (${by.map((_, n) => `$${n + 3}::bigint`).join(", ")})`;
    const most = Math.min(limit, maxPage);
    const rows = await this.#ask(
      reading,
      `SELECT ${columns} FROM granary.versions WHERE store = $1 AND ${where}${beyond} ORDER BY ${by.join(", ")} LIMIT $2`,
      [most, ...from],
    );
    const last = rows.length < most ? undefined : rows.at(-1);
    return { versions: rows.map(candidateOf), next: last && JSON.stringify(by.map((column) => Number(last[column]))) };
  }

  async hottest(limit: number): Promise<readonly IndexedVersion[]> {
    const rows = await this.#ask(
      reading,
      `SELECT ${columns} FROM granary.versions WHERE store = $1 AND uses > 0 ORDER BY uses DESC, id LIMIT $2`,
      [Math.min(limit, maxPage)],
    );
    return rows.map(versionOf);
  }

  async totals(): Promise<IndexTotals> {
    const [row] = await this.#ask(
      reading,
      `
      SELECT count(*) FILTER (WHERE NOT evicted) AS versions, count(*) FILTER (WHERE NOT evicted AND stage = 'zip') AS zips,
        coalesce(sum(bytes), 0) AS bytes, count(*) FILTER (WHERE evicted) AS evicted,
        coalesce(sum(bytes) FILTER (WHERE NOT main), 0) AS small FROM granary.versions WHERE store = $1`,
      [],
    );
    const number = (name: string): number => Number(row?.[name] ?? 0);
    return {
      versions: number("versions"),
      zips: number("zips"),
      bytes: number("bytes"),
      evicted: number("evicted"),
      smallBytes: number("small"),
    };
  }

  async beginRebuild(): Promise<number> {
    const [row] = await this.#ask(
      setting,
      "UPDATE granary.stores SET round = round + 1 WHERE id = $1 RETURNING round",
      [],
    );
    return Number(row?.["round"]);
  }

  /** Along the keys, a batch at a time: a version that another node puts meanwhile is of this round or a later one. */
  async endRebuild(round: number): Promise<void> {
    for (let from: readonly [unknown, unknown] | undefined = ["", ""]; from !== undefined;) {
      const [last] = await this.#ask(
        reading,
        `SELECT path, version FROM granary.versions WHERE store = $1 AND (path, version) > ($2, $3)
         ORDER BY path, version LIMIT 1 OFFSET ${maxBatch - 1}`,
        [...from],
      );
      const to: readonly [unknown, unknown] | undefined = last && [last["path"], last["version"]];
      await this.#ask(
        setting,
        `
        DELETE FROM granary.versions WHERE id IN (
          SELECT id FROM granary.versions WHERE store = $1 AND (path, version) > ($2, $3)
            AND ($4::text IS NULL OR (path, version) <= ($4, $5::text)) AND round < $6::bigint
          ORDER BY path, version FOR UPDATE
        )`,
        [...from, ...(to ?? [null, null]), round],
      );
      from = to;
    }
    await this.#ask(setting, "UPDATE granary.stores SET whole = doubted < $2::bigint WHERE id = $1", [round]);
  }

  async doubt(): Promise<void> {
    await this.#ask(setting, "UPDATE granary.stores SET whole = false, doubted = round WHERE id = $1", []);
  }

  async isWhole(): Promise<boolean> {
    const [row] = await this.#ask(reading, "SELECT whole FROM granary.stores WHERE id = $1", []);
    return row?.["whole"] === true;
  }

  /** The lock is the connection's: it ends with it, however that ends. */
  async alone(what: SharedWork, work: (lost: AbortSignal) => Promise<void>): Promise<boolean> {
    if (this.#held >= maxHeld) return false;
    this.#held++;
    const done = { error: undefined as unknown, isBad: false };
    try {
      const isMine = await this.#pool.run(counting, async (client) => {
        const lock = lockOf(this.#name, what);
        const { rows } = await client.query<Row>("SELECT pg_try_advisory_lock($1::bigint) AS mine", [lock]);
        if (rows[0]?.["mine"] !== true) return false;
        await limitSilence(client, this.#silentMs);
        // What the work throws is no word of PostgreSQL's.
        await workWhile(client, work).catch((error: unknown) => Object.assign(done, { error, isBad: true }));
        await limitSilence(client, 0);
        await client.query("SELECT pg_advisory_unlock($1::bigint)", [lock]);
        return true;
      });
      if (done.isBad) throw done.error;
      return isMine;
    } catch (error) {
      throw done.isBad ? done.error : error;
    } finally {
      this.#held--;
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** `$1` is the store. */
  async #ask(ask: Ask, sql: string, values: readonly unknown[]): Promise<Row[]> {
    return await this.#pool.run(ask, async (client) => {
      const { rows } = await client.query<Row>(sql, [this.#store, ...values]);
      return rows;
    });
  }
}

/** How long the server bears silence on this connection; 0: for ever. Does nothing where the server does not know it. */
async function limitSilence(client: PoolClient, ms: number): Promise<void> {
  const name = "idle_session_timeout";
  await client.query("SELECT set_config(name, $2, false) FROM pg_settings WHERE name = $1", [name, String(ms)]);
}

/** Does work while the connection stands, and tells it when it may not. Throws what the work throws. */
async function workWhile(client: PoolClient, work: (lost: AbortSignal) => Promise<void>): Promise<void> {
  const lost = new AbortController();
  const lose = () => lost.abort(new Error("the turn may be another node's: PostgreSQL was away"));
  const proof = setInterval(() => void client.query("SELECT 1").catch(lose), proveMs);
  client.on("end", lose);
  client.on("error", lose);
  try {
    await work(lost.signal);
  } finally {
    clearInterval(proof);
    client.off("end", lose);
    client.off("error", lose);
  }
}

/** Cut where a key comes again: one statement takes each row once. */
function batchesOf<T extends Named>(rows: readonly T[]): T[][] {
  const batches: T[][] = [];
  let keys = new Set<string>();
  for (const row of rows) {
    const key = keyOf(row);
    let batch = batches.at(-1);
    if (batch === undefined || batch.length === maxBatch || keys.has(key)) {
      batches.push((batch = []));
      keys = new Set();
    }
    batch.push(row);
    keys.add(key);
  }
  return batches;
}

function keyOf({ path, version }: Row | Named): string {
  return `${String(path)}@${String(version)}`;
}

function keysOf(rows: readonly Named[]): [string[], string[]] {
  return [rows.map(({ path }) => path), rows.map(({ version }) => version)];
}

/** Locks are 64-bit numbers, the same in a whole database. */
function lockOf(store: string, what: SharedWork): string {
  return createHash("sha256").update(`granary\0${what}\0${store}`).digest().readBigInt64BE().toString();
}

function candidateOf(row: Row): IndexCandidate {
  return { ...versionOf(row), recent: Number(row["recent"]), checkedMs: Number(row["checked"]) };
}

function versionOf(row: Row): IndexedVersion {
  return {
    path: String(row["path"]),
    version: String(row["version"]),
    stage: row["stage"] === "zip" ? "zip" : "mod",
    bytes: Number(row["bytes"]),
    sha256: row["sha256"] === null ? undefined : String(row["sha256"]),
    upstream: String(row["upstream"]),
    isPrivate: row["private"] === true,
    firstSeenMs: Number(row["first_seen"]),
    isEvicted: row["evicted"] === true,
    usedMs: Number(row["used"]),
    uses: Number(row["uses"]),
  };
}
