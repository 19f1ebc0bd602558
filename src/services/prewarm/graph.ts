// A build list filled from a running server and from the directories of replacements.

import type { BuildList } from "#protocol/buildlist.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseGoMod } from "#protocol/gomod.ts";
import type { GoMod, GoModVersion } from "#protocol/gomod.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { WorkQueue } from "./queue.ts";

export type GraphSources = {
  /** The go.mod of a version; undefined when it cannot be had. */
  readonly readVersion: (id: ModuleVersion) => Promise<Uint8Array | undefined>;
  /** The go.mod of a replacement's directory, as the main module names it. */
  readonly readDirectory: (path: string) => Promise<Uint8Array | undefined>;
  readonly jobs: number;
  readonly signal: AbortSignal;
};

/** Asks for every go.mod that go would read, until the list is complete or the signal is aborted. */
export async function readGraph(list: BuildList, sources: GraphSources): Promise<void> {
  const queue = new WorkQueue<GoModVersion>(sources.jobs, sources.signal, async (source) => {
    list.give(source, await readSource(source, sources));
    queue.add(...list.wanted());
  });
  queue.add(...list.wanted());
  await queue.settled();
}

async function readSource(source: GoModVersion, sources: GraphSources): Promise<GoMod | undefined> {
  const { readDirectory, readVersion } = sources;
  if (source.version === "") return goModOf(await readDirectory(source.path));
  const id = moduleVersionOf(source);
  return id === undefined ? undefined : goModOf(await readVersion(id));
}

/** The module version that a go.mod names; undefined when none of that name can exist. */
export function moduleVersionOf({ path, version }: GoModVersion): ModuleVersion | undefined {
  return orUndefined(() => checkModuleVersion(path, version));
}

function goModOf(bytes: Uint8Array | undefined): GoMod | undefined {
  return bytes === undefined ? undefined : orUndefined(() => parseGoMod(bytes, { lax: true }));
}

/** go stops at a file that it cannot read, whatever the reason; the list counts it as failed. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
