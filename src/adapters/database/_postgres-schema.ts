// The tables of the index in PostgreSQL, and how they come to be. All stand in one schema of their own, `granary`.
//
// Nodes that start at the same time make them one after the other, under an advisory lock. Each step below is one
// version; a database with more steps than we know is of a newer program, and is left alone.

import type { PoolClient } from "./_driver-postgres.ts";

/** Of pg_advisory_xact_lock: one number that only this program uses for this. */
const schemaLock = "4918467320198533377";

const steps: readonly string[] = [
  `
  CREATE TABLE granary.stores (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    round bigint NOT NULL DEFAULT 0,
    doubted bigint NOT NULL DEFAULT 0,
    whole boolean NOT NULL DEFAULT false
  );
  CREATE SEQUENCE granary.arrivals;
  CREATE TABLE granary.versions (
    id bigint PRIMARY KEY,
    store integer NOT NULL REFERENCES granary.stores ON DELETE CASCADE,
    path text COLLATE "C" NOT NULL, version text COLLATE "C" NOT NULL, stage text NOT NULL, bytes bigint NOT NULL,
    sha256 text, upstream text NOT NULL, private boolean NOT NULL, first_seen bigint NOT NULL, evicted boolean NOT NULL,
    used bigint NOT NULL, uses bigint NOT NULL DEFAULT 0, recent smallint NOT NULL DEFAULT 0,
    main boolean NOT NULL DEFAULT false, queued bigint NOT NULL, checked bigint NOT NULL, round bigint NOT NULL,
    UNIQUE (store, path, version)
  ) WITH (fillfactor = 80);
  CREATE INDEX by_use ON granary.versions (store, used, id) WHERE NOT evicted;
  CREATE INDEX by_main ON granary.versions (store, recent, queued, id) WHERE NOT evicted AND main;
  CREATE INDEX by_small ON granary.versions (store, queued, id) WHERE NOT evicted AND NOT main;
  CREATE INDEX by_check ON granary.versions (store, checked, id) WHERE NOT evicted;
  CREATE INDEX by_uses ON granary.versions (store, uses DESC, id) WHERE uses > 0;`,
];

/** What this program knows. */
export const knownSchema = steps.length;

/** The database is of a newer program; `found` is its schema. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";
  readonly found: number;

  constructor(found: number) {
    super(`schema ${found}`);
    this.found = found;
  }
}

/** Makes what is missing, or nothing. Throws NewerSchema, and what the driver throws. */
export async function makeSchema(client: PoolClient): Promise<void> {
  if ((await foundSchema(client)) === knownSchema) return;
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1::bigint)", [schemaLock]);
    // Somebody else may have made it while we waited.
    let at = await foundSchema(client);
    // Not IF NOT EXISTS, which asks for the right to make one even when there is one.
    const { rowCount } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = 'granary'");
    if (rowCount === 0) await client.query("CREATE SCHEMA granary");
    if (at === 0) {
      await client.query("CREATE TABLE IF NOT EXISTS granary.schema (version integer NOT NULL)");
      await client.query("INSERT INTO granary.schema VALUES (0)");
    }
    for (; at < knownSchema; at++) await client.query(steps[at] ?? "");
    await client.query("UPDATE granary.schema SET version = $1", [knownSchema]);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined); // the connection is gone, and the transaction with it
    throw error;
  }
}

/** 0 when there is none. */
async function foundSchema(client: PoolClient): Promise<number> {
  // Not to_regclass(): in one transaction it may go on saying what it said before another node made the table.
  const { rowCount } = await client.query(
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'granary' AND c.relname = 'schema'",
  );
  if (rowCount === 0) return 0;
  const found = await client.query<{ readonly version: number | null }>(
    "SELECT max(version) AS version FROM granary.schema",
  );
  const version = found.rows[0]?.version ?? 0;
  if (version > knownSchema) throw new NewerSchema(version);
  return version;
}
