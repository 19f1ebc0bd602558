// Makes the databases prove and keep the records of versions, so that they are there when nobody can be asked.

import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { WorkQueue } from "#services/prewarm/queue.ts";
import { SumdbError, type SumdbCode } from "#services/sumdb/errors.ts";
import { askInTurn, type Asking } from "./ports.ts";

export type PreloadReport = {
  /** Versions that were named, each once. */
  readonly wanted: number;
  /** Records kept before. */
  readonly kept: number;
  /** Records that were fetched and proven now. */
  readonly fetched: number;
  /** Versions with private names, asked of nobody. */
  readonly private: number;
  readonly failures: readonly { readonly what: string; readonly code: SumdbCode; readonly reason: string }[];
  readonly wasInterrupted: boolean;
};

/** @param onProgress told after each version */
export async function preload(
  versions: readonly ModuleVersion[],
  asking: Omit<Asking, "cachedOnly">,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<PreloadReport> {
  const wanted = [...new Map(versions.map((id) => [formatModuleVersion(id), id])).values()];
  const asked = wanted.filter(({ path }) => !asking.isPrivate(path));
  const failures: { what: string; code: SumdbCode; reason: string }[] = [];
  let [done, kept, fetched] = [0, 0, 0];
  const queue = new WorkQueue<ModuleVersion>(asking.jobs, asking.signal, async (id) => {
    try {
      const { route } = await askInTurn(id, { ...asking, cachedOnly: false });
      if (route === "store") kept++;
      else fetched++;
    } catch (error) {
      if (!(error instanceof SumdbError)) throw error;
      failures.push({ what: formatModuleVersion(id), code: error.code, reason: error.message });
    }
    onProgress(++done, asked.length);
  });
  queue.add(...asked);
  await queue.settled();
  return {
    wanted: wanted.length,
    kept,
    fetched,
    private: wanted.length - asked.length,
    failures: failures.toSorted((a, b) => (a.what < b.what ? -1 : 1)),
    wasInterrupted: asking.signal.aborted,
  };
}
