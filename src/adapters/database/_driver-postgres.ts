// The PostgreSQL client, and nothing of ours: a file of its own in the bundle, loaded with import().
export { Pool } from "pg";
export type { PoolClient, PoolConfig } from "pg";
