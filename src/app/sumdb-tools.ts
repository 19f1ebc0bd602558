// The commands that ask checksum databases themselves: preload, lookup, sumverify, sumgopher. They work beside a running
// server on the same store: mirrors of one database can write side by side.

import { readdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemClock } from "#adapters/system/clock.ts";
import type {
  CliServices,
  PreloadRequest,
  PreloadView,
  SettingFlags,
  SumdbPlace,
  SumgopherRequest,
  SumverifyRequest,
} from "#doors/cli/services.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxGoSumBytes } from "#protocol/gosum.ts";
import { maxInfoBytes, maxListBytes, parseInfo, parseList } from "#protocol/info.ts";
import { formatTarget } from "#protocol/request.ts";
import { checkModuleVersion, formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink } from "#services/events/ports.ts";
import { moduleVersionOf, readGraph } from "#services/prewarm/graph.ts";
import { targetOf } from "#services/prewarm/wanted.ts";
import { sumdbFailure } from "#services/proxy/origin.ts";
import { isToolchain, privacyOf } from "#services/proxy/privacy.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { checkGoSums } from "#services/sumtools/go-sums.ts";
import { keepFresh, keptVersions } from "#services/sumtools/gopher.ts";
import { askInTurn, type Database } from "#services/sumtools/ports.ts";
import { preload } from "#services/sumtools/preload.ts";
import { needsList, parseRange, versionsIn, type VersionRange } from "#services/sumtools/ranges.ts";
import { awake } from "./awake.ts";
import type { Config, Machine } from "./config.ts";
import { readDirectoryGoMod, readInput, readText, type MainInput } from "./fetch-inputs.ts";
import { readGoEnv } from "./go-env.ts";
import { moduleVersionArgument } from "./module-version-argument.ts";
import { openMirrors, openOffline, type OpenMirrors } from "./sumweb-databases.ts";

export type ToolCommands = Pick<
  CliServices,
  "sumdbPreload" | "sumdbLookup" | "sumverify" | "sumgopher" | "writeReport"
>;

export type ToolsUse = {
  readonly load: (flags: SettingFlags) => Promise<Config>;
  readonly machine: Machine;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

/** Folders that `go` leaves out of `./...`, and those of other tools: what is in them is nobody's build. */
const skippedFolder = /^(?:[._].*|testdata|node_modules|vendor)$/;
/** go.sum files of one repository. */
const maxGoSumFiles = 10_000;

/** What happens on the way is told by the command's own report; forks are kept as evidence by the mirror. */
const silent: EventSink = { emit: () => undefined };

export function sumdbTools(use: ToolsUse): ToolCommands {
  return {
    sumdbPreload: async (request, flags, onProgress) => {
      const ranges = request.ranges.map(checkRange);
      return await withMirrors(use, { place: request, flags }, async (open) => {
        const wanted = await wantedOf(open, ranges, request);
        const report = await preload(wanted.versions, open, onProgress);
        return { ...report, unreadable: wanted.unreadable, databases: sizesOf(open) };
      });
    },
    sumdbLookup: async (what, request, flags) => {
      const id = moduleVersionArgument(what);
      return await withMirrors(use, { place: request, flags }, async (open) => {
        if (open.isPrivate(id.path)) throw new GranaryError("GRANARY_BAD_FLAG", privateName(id.path));
        let failure: unknown;
        for (const mirror of open.mirrors) {
          try {
            const ask = { signal: open.signal, cachedOnly: request.isOffline };
            return await mirror.examine(id, ask);
          } catch (error) {
            if (!(error instanceof SumdbError)) throw error;
            failure ??= error;
          }
        }
        throw failure instanceof SumdbError ? sumdbFailure(formatModuleVersion(id), failure) : failure;
      });
    },
    sumverify: async (request, flags, onProgress) => {
      const files = [...request.files, ...(request.all === undefined ? [] : await goSumsBelow(request.all))];
      const texts: { file: string; text: string }[] = [];
      for (const file of files) texts.push({ file, text: await readText(file, maxGoSumBytes) });
      return await withDatabases(use, { request, flags }, (open) =>
        checkGoSums(texts, { ...open, cachedOnly: request.isOffline }, onProgress),
      );
    },
    sumgopher: async (request, flags, onRound) =>
      await withMirrors(use, { place: request, flags }, async (open) => {
        const followed = (): Promise<ModuleVersion[]> => followedBy(open, request);
        const newest = (path: string): Promise<ModuleVersion | undefined> => newestOf(open, path);
        const { everyMs } = request;
        return await keepFresh(
          { ...open, databases: open.mirrors, clock: systemClock, everyMs, followed, newest },
          onRound,
        );
      }),
    writeReport: async (file, text) => {
      try {
        await writeFile(file, text);
      } catch (error) {
        throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason: String(error) }, { cause: error });
      }
    },
  };
}

type Open = Pick<OpenMirrors, "mirrors" | "ask" | "storage"> & {
  readonly databases: readonly Database[];
  readonly isPrivate: (path: string) => boolean;
  readonly jobs: number;
  readonly signal: AbortSignal;
};

type Opening = { readonly place: SumdbPlace & { readonly jobs?: number }; readonly flags: SettingFlags };

/** The flags of a command as a configuration: `--mirror` is where the one database is asked. */
async function configOf({ load }: ToolsUse, { place, flags }: Opening): Promise<Config> {
  const config = await load(flags);
  const { mirror } = place;
  if (mirror === undefined) return config;
  const [only, ...more] = config.values.sumdb;
  if (only === undefined || more.length > 0 || !/^https?:\/\/./.test(mirror))
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag: "--mirror",
      value: mirror,
      accepted: "http(s)://…, with one --sumdb",
    });
  return await load({ ...flags, values: { ...flags.values, sumdb: [`${only.split(" ", 1)[0] ?? ""} ${mirror}`] } });
}

async function withMirrors<T>(use: ToolsUse, opening: Opening, work: (open: Open) => Promise<T>): Promise<T> {
  const config = await configOf(use, opening);
  const { db: dir, jobs = defaultJobs } = opening.place;
  const opened = await openMirrors(config, { dir, log: silent, isShared: true });
  try {
    const { mirrors, ask, storage } = opened;
    const isPrivate = await privateNames(config, use.machine);
    return await untilStopped(use, (signal) =>
      work({ mirrors, databases: mirrors, ask, storage, isPrivate, jobs, signal }),
    );
  } finally {
    await opened.close();
  }
}

const defaultJobs = 16;

/** As withMirrors; a folder, when nobody is to be asked, is taken as it is, whoever's database it holds. */
async function withDatabases<T>(
  use: ToolsUse,
  { request, flags }: { readonly request: SumverifyRequest; readonly flags: SettingFlags },
  work: (open: Pick<Open, "databases" | "isPrivate" | "jobs" | "signal">) => Promise<T>,
): Promise<T> {
  if (request.db === undefined || !request.isOffline) return await withMirrors(use, { place: request, flags }, work);
  const mirror = await openOffline(request.db);
  try {
    const isPrivate = await privateNames(await use.load(flags), use.machine);
    const { jobs } = request;
    return await untilStopped(use, (signal) => work({ databases: [mirror], isPrivate, jobs, signal }));
  } finally {
    mirror.close();
  }
}

async function untilStopped<T>({ onStop }: ToolsUse, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const off = onStop(() => stop.abort(new Error("asked to stop")));
  try {
    return await awake(() => work(stop.signal));
  } finally {
    off();
  }
}

/** What go asks no database about on this machine, and what the server keeps private. */
async function privateNames({ values }: Config, machine: Machine): Promise<(path: string) => boolean> {
  const own = await readGoEnv("GONOSUMDB", machine);
  const patterns = [values.private, own?.value ?? ""].filter((list) => list !== "").join(",");
  const privacy = privacyOf(patterns);
  return (path) => privacy.mustNotTravel(path) && !isToolchain(path);
}

function sizesOf({ mirrors }: Open): PreloadView["databases"] {
  return mirrors.map(({ name, treeSize }) => ({ name, ...(treeSize !== undefined && { treeSize }) }));
}

type Wanted = { readonly versions: readonly ModuleVersion[]; readonly unreadable: readonly string[] };

async function wantedOf(open: Open, ranges: readonly VersionRange[], { from }: PreloadRequest): Promise<Wanted> {
  const versions: ModuleVersion[] = [];
  const unreadable: string[] = [];
  for (const range of ranges) {
    const found = await inRange(open, range);
    versions.push(...(found ?? []));
    if (found === undefined) unreadable.push(`${range.path}/@v/list`);
  }
  for (const place of from) {
    const input = await readInput(place);
    if (input.kind === "files") versions.push(...input.files.map(({ id }) => id));
    else {
      const graph = await inGraph(open, input);
      versions.push(...graph.versions, ...(await inGoSum(place)));
      unreadable.push(...graph.unreadable);
    }
  }
  return { versions, unreadable };
}

/** undefined when no upstream tells which versions there are. */
async function inRange(open: Open, range: VersionRange): Promise<ModuleVersion[] | undefined> {
  if (!needsList(range)) return versionsIn(range, []);
  const listed = await listOf(open, range.path);
  if (listed === undefined) return undefined;
  const found = versionsIn(range, listed);
  if (found.length > 0 || range.to !== "latest") return found;
  const newest = await newestOf(open, range.path);
  return newest === undefined ? undefined : [newest];
}

async function listOf({ ask, signal, isPrivate }: Open, path: ModuleVersion["path"]): Promise<string[] | undefined> {
  if (isPrivate(path)) return [];
  const target = formatTarget({ kind: "list", path, cachedOnly: false });
  const bytes = await ask(target, { maxBytes: maxListBytes, signal });
  return bytes === undefined ? undefined : parseList(bytes);
}

/** What go takes for a module's latest version: of its list, else what `@latest` says. */
async function newestOf(open: Open, text: string): Promise<ModuleVersion | undefined> {
  const { path } = parseRange(`${text}@latest`);
  const [newest] = versionsIn({ path, from: "latest", to: "latest" }, (await listOf(open, path)) ?? []);
  if (newest !== undefined) return newest;
  const target = formatTarget({ kind: "latest", path, cachedOnly: false });
  const bytes = await open.ask(target, { maxBytes: maxInfoBytes, signal: open.signal });
  try {
    return bytes === undefined ? undefined : checkModuleVersion(path, parseInfo(bytes).version);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined; // no word of an upstream is worth an end
    throw error;
  }
}

/** Every version whose go.mod go would read, and every version that it would build with. */
async function inGraph(open: Open, { list }: MainInput): Promise<Wanted> {
  const read: ModuleVersion[] = [];
  await readGraph(list, {
    jobs: open.jobs,
    signal: open.signal,
    readDirectory: readDirectoryGoMod,
    readVersion: async (id) => {
      read.push(id);
      return await provenGoMod(open, id);
    },
  });
  // Of a pruned graph go does not read every go.mod, and may build with the module all the same.
  const selected = list.all().flatMap(({ source }) => (source === undefined ? [] : (moduleVersionOf(source) ?? [])));
  return {
    versions: [...read, ...selected],
    unreadable: list.failed.map(({ path, version }) => `${path}@${version}`),
  };
}

/** A go.mod that is what the database recorded; nothing of another one is believed. Private ones are not asked for. */
async function provenGoMod(open: Open, id: ModuleVersion): Promise<Uint8Array | undefined> {
  if (open.isPrivate(id.path)) return undefined;
  try {
    const { sums } = await askInTurn(id, { ...open, cachedOnly: false });
    const bytes = await open.ask(targetOf({ id, kind: "mod" }), { maxBytes: maxGoModBytes, signal: open.signal });
    return bytes !== undefined && hashGoMod(bytes) === sums.mod ? bytes : undefined;
  } catch (error) {
    if (error instanceof SumdbError) return undefined;
    throw error;
  }
}

/** go.sum beside a go.mod, or go.work.sum beside a go.work, when there is one: what go adds for tests of tests. */
async function inGoSum(main: string): Promise<ModuleVersion[]> {
  const file = join(
    dirname(main),
    basename(main)
      .replace(/\.mod$/, ".sum")
      .replace(/\.work$/, ".work.sum"),
  );
  if (
    !(await stat(file).then(
      (found) => found.isFile(),
      () => false,
    ))
  )
    return [];
  const input = await readInput(file);
  return input.kind === "files" ? input.files.map(({ id }) => id) : [];
}

async function followedBy(open: Open, { from }: SumgopherRequest): Promise<ModuleVersion[]> {
  if (from.length > 0) {
    const request = { from, ranges: [], db: undefined, mirror: undefined, jobs: open.jobs };
    return [...(await wantedOf(open, [], request)).versions];
  }
  const kept = open.mirrors.map(({ name }) => keptVersions(open.storage, name));
  return (await Promise.all(kept)).flat();
}

/** Every go.sum and go.work.sum below a folder, by name. Throws GRANARY_INPUT_UNREADABLE. */
async function goSumsBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [root];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const place = folder;
    const entries = await readdir(place, { withFileTypes: true }).catch((error: unknown) => {
      throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place, reason: String(error) }, { cause: error });
    });
    for (const entry of entries) {
      const path = join(place, entry.name);
      if (entry.isDirectory() && !skippedFolder.test(entry.name)) waiting.push(path);
      else if (entry.isFile() && /^go(?:\.work)?\.sum$/.test(entry.name)) found.push(path);
    }
    if (found.length > maxGoSumFiles)
      throw new GranaryError("GRANARY_INPUT_UNREADABLE", {
        place: root,
        reason: `more than ${maxGoSumFiles} go.sum files`,
      });
  }
  if (found.length === 0)
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: root, reason: "no go.sum below it" });
  return found.sort();
}

function checkRange(text: string): VersionRange {
  try {
    return parseRange(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const accepted = "PATH@v1.8.0:latest | PATH@v1.8.0:v1.9.0 | PATH@v1.8.0 | PATH@latest";
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--range", value: text, accepted }, { cause: error });
  }
}

function privateName(path: string) {
  const accepted = "a public module: private names are asked of no database";
  return { flag: "MODULE@VERSION", value: path, accepted };
}
