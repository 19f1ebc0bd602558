// The contract of an index over a store, for SQLite; for PostgreSQL it is run in test/cluster.
import { SqliteIndex } from "#adapters/database/sqlite-index.ts";
import { storeIndexContract } from "./store-index.ts";

storeIndexContract("SQLite", () => Promise.resolve(new SqliteIndex(":memory:")));
