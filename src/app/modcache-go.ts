// Real go commands that download into a module cache of their own, which is removed afterwards.

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeRunGo } from "#adapters/system/go-run.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { GoEnd } from "#services/environment/go-port.ts";
import { DiskCacheKeeper } from "#adapters/system/module-cache-keeper.ts";
import { findAbove } from "./find-above.ts";

export type Download = {
  readonly end: Exclude<GoEnd, { kind: "missing" }>;
  /** GOMODCACHE of the run. */
  readonly root: string;
};

export type DownloadRequest = {
  /** What the person typed, for messages. */
  readonly command: string;
  /** `module@version`; without one those of the go.mod at hand. */
  readonly versions: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onStderr?: (text: string) => void;
};

/** What a build list of thousands says with -json and -x. */
const maxOutputBytes = 64 << 20;

/** Runs `go mod download -x -json` and lets `work` look at what came. Throws GRANARY_GO_MISSING. */
export async function withDownload<T>(request: DownloadRequest, work: (download: Download) => Promise<T>): Promise<T> {
  const { versions, timeoutMs, signal, onStderr } = request;
  const folder = await mkdtemp(join(tmpdir(), "granary-download-"));
  const root = join(folder, "mod");
  try {
    const { args, cwd } = await where(versions, folder);
    // -modfile and workspaces exclude each other; flags of the user's own may name a vendor folder.
    const own = { GOMODCACHE: root, GOFLAGS: "-modcacherw", GOWORK: "off" };
    // Another toolchain would be downloaded into the empty cache first; only a go.mod may need it.
    const toolchain = versions.length > 0 ? { GOTOOLCHAIN: "local" } : {};
    const env = { ...request.env, ...own, ...toolchain };
    const options = { env, cwd, timeoutMs, maxOutputBytes, signal, ...(onStderr && { onStderr }) };
    const end = await makeRunGo()(["mod", "download", "-x", "-json", ...args], options);
    if (end.kind === "missing") throw new GranaryError("GRANARY_GO_MISSING", { what: request.command });
    return await work({ end, root });
  } finally {
    // A toolchain that go took from elsewhere keeps its own read-only trees.
    await new DiskCacheKeeper(folder).removeTree("mod").catch(() => undefined);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A module's own go.mod and go.sum are copied, so that go writes into neither. */
async function where(versions: readonly string[], folder: string): Promise<{ args: readonly string[]; cwd: string }> {
  if (versions.length > 0) return { args: versions, cwd: folder };
  const goMod = await findAbove("go.mod");
  if (goMod === undefined)
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: "go.mod", reason: "none here or above" });
  const copy = join(folder, "go.mod");
  await copyFile(goMod, copy);
  await copyFile(join(dirname(goMod), "go.sum"), join(folder, "go.sum")).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  });
  return { args: [`-modfile=${copy}`], cwd: dirname(goMod) };
}
