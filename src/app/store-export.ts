// `granary store export`: kept versions as a plain file:// GOPROXY tree, with what proves them. Mirrors that know no
// other way than the store fill the tree's part of each database, so that only what was proven again gets there.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { openPlainTree } from "#adapters/storage/plain-tree.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { ExportRequest, ExportView, SettingFlags } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxGoSumBytes } from "#protocol/gosum.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { exportVersions } from "#services/store/export.ts";
import type { ExportUse } from "#services/store/export.ts";
import { Selection } from "#services/store/export-selection.ts";
import type { Storage } from "#services/store/ports.ts";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { keptRoute } from "#services/sumdb/kept-route.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import { awake } from "./awake.ts";
import type { Config } from "./config.ts";
import { readText } from "./fetch-inputs.ts";
import { openStore } from "./open-store.ts";

export type ExportCommandUse = {
  readonly load: (flags: SettingFlags) => Promise<Config>;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

/** Versions at a time: each waits for a disk, not for us. */
const jobsAtOnce = 4;

export async function exportStore(
  request: ExportRequest,
  flags: SettingFlags,
  { use, progress }: { readonly use: ExportCommandUse; readonly progress: ExportUse["progress"] },
): Promise<ExportView> {
  const config = await use.load(flags);
  const selection = await selectionOf(request);
  const store = config.values.store;
  const { storage: from } = await openStore(config, {});
  const dir = resolve(request.dir);
  const to = await openPlainTree(dir).catch(inOurWords);
  const { prove, close } = prover(config, from, to);
  const stop = new AbortController();
  const off = use.onStop(() => stop.abort(new Error("asked to stop")));
  try {
    const report = await awake(() =>
      exportVersions({ from, to, selection, prove, jobs: jobsAtOnce, signal: stop.signal, progress }),
    ).catch(inOurWords);
    return { ...report, dir, store, url: pathToFileURL(dir).href };
  } finally {
    off();
    close();
    await to.close();
  }
}

function inOurWords(error: unknown): never {
  if (!(error instanceof StoreUnavailable)) throw error;
  const { key: what, message: reason } = error;
  if (error instanceof StoreFull) throw new GranaryError("GRANARY_STORE_FULL", { what }, { cause: error });
  throw new GranaryError("GRANARY_STORE_UNAVAILABLE", { what, reason }, { cause: error });
}

async function selectionOf({ what, from }: ExportRequest): Promise<Selection> {
  const selection = new Selection();
  for (const text of what) {
    try {
      selection.add(text);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: error.message,
        usage: "granary store export DIR [MODULE@VERSION|PATTERN...]",
      });
    }
  }
  for (const file of from) {
    const [wrong] = selection.addGoSum(await readText(file, maxGoSumBytes));
    if (wrong !== undefined)
      throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: `${file}:${wrong.line}`, reason: wrong.reason });
  }
  return selection;
}

function prover({ values }: Config, from: Storage, to: Storage): { prove: ExportUse["prove"]; close: () => void } {
  const mirrors = new Map<string, SumdbMirror>();
  for (const database of values.sumdb.map(parseGosumdb)) {
    if (database.kind !== "database") continue;
    const { name, key } = database;
    mirrors.set(name, new SumdbMirror({ key, routes: [keptRoute(from, name)], storage: to, clock: systemClock }));
  }
  const { signal } = new AbortController();
  return {
    prove: async (id, { verifiedBy, records }) => {
      // What a database has not vouched for has no record; clients name it in GONOSUMDB.
      if (verifiedBy !== "sumdb") return undefined;
      const name = records[0]?.database ?? "";
      const mirror = mirrors.get(name);
      if (mirror === undefined) return `its checksum database, ${name}, is not configured`;
      try {
        await mirror.lookup(id, { signal });
        return undefined;
      } catch (error) {
        if (error instanceof SumdbError) return error.message;
        throw error;
      }
    },
    close: () => {
      for (const mirror of mirrors.values()) mirror.close();
    },
  };
}
