// What an own log has recorded, for whoever needs a proven hash while no public database can be reached.

import { findSums, formatRecord, type LogRecord } from "#protocol/record.ts";
import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { VerifiedRecord } from "#services/sumdb/mirror.ts";
import { SumLogError } from "./errors.ts";
import type { SumLog } from "./log.ts";

export class Recorded {
  readonly name: string;
  readonly #log: SumLog;

  constructor(log: SumLog) {
    this.name = log.name;
    this.#log = log;
  }

  /** Throws SumdbError: SUMDB_NOT_KEPT without a record, SUMDB_UNREACHABLE when the log does not answer. */
  async lookup(id: ModuleVersion): Promise<VerifiedRecord> {
    try {
      const record = await this.#log.find(formatModuleVersion(id));
      if (record !== undefined) return await answerOf(this.#log, id, record);
    } catch (error) {
      if (!(error instanceof SumLogError)) throw error;
      const tried = [{ upstream: "own log", reason: error.message }];
      throw new SumdbError("SUMDB_UNREACHABLE", this.name, { message: error.message, tried, cause: error });
    }
    throw new SumdbError("SUMDB_NOT_KEPT", this.name, { message: `${formatModuleVersion(id)} is not recorded` });
  }
}

/** A record of the log with a head that covers it. */
export async function answerOf(log: SumLog, id: ModuleVersion, record: LogRecord): Promise<VerifiedRecord> {
  const head = await log.head();
  return {
    ...record,
    sums: findSums(record.text, id.path, id.version),
    treeSize: head.size,
    bytes: Buffer.concat([formatRecord(record), head.bytes]),
    database: log.name,
    route: "own log",
  };
}
