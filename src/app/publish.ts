// `granary publish`: a folder or a tag, a zip in a temporary folder, a running server.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openRepository } from "#adapters/system/git.ts";
import { openModuleFolder } from "#adapters/system/module-folder.ts";
import { PublishClient } from "#adapters/system/publish-client.ts";
import { createZipFile } from "#adapters/system/zip-file.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { CliServices, PublishRequest, PublishView, SettingFlags } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxGoModBytes, modulePathOf } from "#protocol/gomod.ts";
import { parsePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { packModule } from "#services/packing/pack.ts";
import type { SourceFile, SourceTree, ZipFile } from "#services/packing/ports.ts";
import { sendModule } from "#services/packing/send.ts";
import { openTagged } from "#services/packing/tagged.ts";
import { awake } from "./awake.ts";
import type { Config, Machine } from "./config.ts";
import { openRemote } from "./remote.ts";
import { version as granaryVersion } from "./version.ts";

type Load = (flags: SettingFlags) => Promise<Config>;

export type PublishIo = {
  readonly machine: Machine;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

/** What is published: its name, where it is from, and its files. */
type Source = {
  readonly id: ModuleVersion;
  readonly source: PublishView["source"];
  /** The go.mod as go hashes it; undefined when it is whatever lies in the tree. */
  readonly committedGoMod: Uint8Array | undefined;
  readonly tree: SourceTree;
};

type Use = { readonly io: PublishIo; readonly work: string; readonly signal: AbortSignal };

export function publishCommands(load: Load, io: PublishIo): Pick<CliServices, "publish"> {
  return {
    publish: async (request, flags, progress) => {
      // Before any work: a token that cannot be read, or would travel in the clear, ends it here.
      const remote = await openRemote(request.at, await load(flags), io.machine);
      const work = await mkdtemp(join(tmpdir(), "granary-publish-"));
      const stop = new AbortController();
      const off = io.onStop(() => stop.abort(new GranaryError("GRANARY_STOPPED", {})));
      try {
        return await awake(() => publish(request, { io, work, signal: stop.signal, remote, progress }));
      } finally {
        off();
        await rm(work, { recursive: true, force: true });
      }
    },
  };
}

async function publish(
  request: PublishRequest,
  use: Use & {
    readonly remote: { readonly url: string; readonly token: string | undefined };
    readonly progress: (view: PublishView) => void;
  },
): Promise<PublishView> {
  const { work, signal, remote, progress } = use;
  const zip = await createZipFile(join(work, "module.zip"), signal);
  try {
    const made = await pack(request, zip, use);
    const view: PublishView = { ...made.view, isDryRun: request.isDryRun, server: remote.url };
    if (request.isDryRun || made.parcel === undefined) return view;
    progress(view);
    const server = new PublishClient(remote.url, {
      token: remote.token,
      userAgent: `Granary/${granaryVersion} (publish)`,
    });
    try {
      const sent = await sendModule(made.id, made.parcel, { server, url: remote.url, clock: systemClock, signal });
      return { ...view, sent };
    } finally {
      await server.close();
    }
  } finally {
    await zip.discard();
  }
}

type Made = {
  readonly id: ModuleVersion;
  readonly view: Omit<PublishView, "isDryRun" | "server">;
  readonly parcel:
    { readonly zip: ZipFile; readonly size: number; readonly sha256: string; readonly h1: string } | undefined;
};

async function pack(request: PublishRequest, zip: ZipFile, use: Use): Promise<Made> {
  const named =
    request.module === undefined
      ? undefined
      : parseFlag("--module", request.module, () => parsePath(request.module ?? ""));
  const { id, source, committedGoMod, tree } =
    request.version === undefined
      ? await taggedSource(request, named, use)
      : await folderSource(request.what, { version: request.version, named, signal: use.signal });
  try {
    const { zip: written, ...packing } = await packModule(id, tree, zip);
    const view = {
      module: id.path,
      version: id.version,
      source,
      goMod: await goModState(tree.files, committedGoMod),
      bytes: packing.files.reduce((sum, { size }) => sum + size, 0),
      ...(written && {
        zipBytes: written.size,
        sha256: written.sha256,
        h1: written.h1,
        goModH1: written.goModH1,
      }),
      ...packing,
    };
    return { id, view, parcel: written && { ...written, zip } };
  } finally {
    await tree.close();
  }
}

async function taggedSource(request: PublishRequest, named: ModulePath | undefined, use: Use): Promise<Source> {
  const { io, work, signal } = use;
  const repository = await openRepository(resolve(request.repo ?? "."), { env: io.machine.env, work, signal });
  const { id, commit, dir, goMod, tree } = await openTagged(request.what, named, { repository, signal });
  return { id, source: { kind: "tag", tag: request.what, commit, dir }, committedGoMod: goMod, tree };
}

async function folderSource(
  what: string,
  use: { readonly version: string; readonly named: ModulePath | undefined; readonly signal: AbortSignal },
): Promise<Source> {
  const { version, named, signal } = use;
  const folder = resolve(what);
  const tree = await openModuleFolder(folder, signal);
  const goMod = await readGoMod(tree.files);
  const said = goMod === undefined ? named : modulePathOf(goMod);
  if (said === undefined || said === "")
    throw notPublishable(what, goMod === undefined ? "missing go.mod" : "go.mod is missing module path");
  if (named !== undefined && named !== said)
    throw notPublishable(what, `go.mod says module ${JSON.stringify(said)}, not ${JSON.stringify(named)}`);
  const id = parseFlag("--version", version, () => checkModuleVersion(said, version));
  return { id, source: { kind: "folder", folder }, committedGoMod: undefined, tree };
}

async function goModState(
  files: readonly SourceFile[],
  committed: Uint8Array | undefined,
): Promise<PublishView["goMod"]> {
  const zipped = await readGoMod(files);
  if (zipped === undefined) return "none";
  return committed === undefined || Buffer.compare(zipped, committed) === 0 ? "as-committed" : "converted";
}

async function readGoMod(files: readonly SourceFile[]): Promise<Uint8Array | undefined> {
  const file = files.find(({ path, kind }) => path === "go.mod" && kind === "regular");
  if (file === undefined || file.size > maxGoModBytes) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const chunk of file.chunks()) pieces.push(chunk);
  return Buffer.concat(pieces);
}

function notPublishable(what: string, reason: string): GranaryError {
  return new GranaryError("GRANARY_NOT_PUBLISHABLE", { what, reason });
}

function parseFlag<T>(flag: string, value: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError(
      "GRANARY_NOT_PUBLISHABLE",
      { what: `${flag} ${value}`, reason: error.message },
      { cause: error },
    );
  }
}
