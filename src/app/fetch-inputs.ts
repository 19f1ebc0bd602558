// What `plan` and `prewarm` are told to read: a go.mod, a go.work with its modules, a go.sum, a list, a folder.

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { BuildList } from "#protocol/buildlist.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxGoModBytes, parseGoMod } from "#protocol/gomod.ts";
import type { GoMod, Replacement } from "#protocol/gomod.ts";
import { parseGoWork } from "#protocol/gowork.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { BadLine, wantedOfFile, wantedOfGoSum, wantedOfList } from "#services/prewarm/wanted.ts";
import type { WantedFile } from "#services/prewarm/wanted.ts";

/** A go.sum or a list: a million lines. */
const maxTextBytes = 128 * 1024 * 1024;
/** Files of a folder; a store of a large company holds some 300,000. */
const maxFolderFiles = 2_000_000;

/** The main module or modules, their list not yet filled, and the Go that they name. */
export type MainInput = {
  readonly kind: "main";
  readonly names: readonly string[];
  readonly list: BuildList;
  readonly go: string | undefined;
  readonly toolchain: string | undefined;
};

export type FetchInput = MainInput | { readonly kind: "files"; readonly files: readonly WantedFile[] };

/** Reads what `--from` names. Throws GRANARY_INPUT_UNREADABLE. */
export async function readInput(from: string): Promise<FetchInput> {
  const { isDirectory } = await inPlace(from, async () => ({ isDirectory: (await stat(from)).isDirectory() }));
  if (isDirectory) return { kind: "files", files: await readFolder(from) };
  const name = basename(from);
  if (name.endsWith(".mod") || name.endsWith(".work")) return await readMain(from);
  const text = await readText(from, maxTextBytes);
  const files = await inPlace(from, () => (name.endsWith(".sum") ? wantedOfGoSum(text) : wantedOfList(text)));
  return { kind: "files", files };
}

/** Reads a go.mod or, by its name, a go.work. Throws GRANARY_INPUT_UNREADABLE. */
export async function readMain(from: string): Promise<MainInput> {
  if (!from.endsWith(".work")) {
    const goMod = await readGoMod(from);
    return { ...goMod, kind: "main", names: [goMod.path ?? from], list: new BuildList(goMod) };
  }
  const folder = dirname(resolve(from));
  const text = await readText(from, maxGoModBytes);
  const work = await inPlace(from, () => parseGoWork(text));
  const mains: GoMod[] = [];
  for (const use of work.use) mains.push(await readGoMod(join(resolve(folder, use), "go.mod")));
  return {
    kind: "main",
    names: mains.map(({ path }, at) => path ?? work.use[at] ?? ""),
    list: new BuildList({ mains, replace: withWholePaths(work.replace, folder) }),
    go: work.go,
    toolchain: work.toolchain,
  };
}

/** The go.mod of a replacing directory, whose whole path readMain() wrote into the list. */
export async function readDirectoryGoMod(folder: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(join(folder, "go.mod"));
  } catch {
    return undefined; // go stops there, and the list says so
  }
}

async function readGoMod(file: string): Promise<GoMod> {
  const text = await readText(file, maxGoModBytes);
  const goMod = await inPlace(file, () => parseGoMod(text));
  return { ...goMod, replace: withWholePaths(goMod.replace, dirname(resolve(file))) };
}

/** Directories of several files must not be mixed up: each is relative to its own. */
function withWholePaths(replace: readonly Replacement[], folder: string): Replacement[] {
  return replace.map((one) =>
    one.new.version === "" ? { old: one.old, new: { path: resolve(folder, one.new.path), version: "" } } : one,
  );
}

async function readFolder(folder: string): Promise<WantedFile[]> {
  const names = await inPlace(folder, () => readdir(folder, { recursive: true }));
  if (names.length > maxFolderFiles) throw unreadable(folder, `more than ${maxFolderFiles} files`);
  const files = names.flatMap((name) => wantedOfFile(name.split(sep).join("/")) ?? []);
  if (files.length === 0) throw unreadable(folder, "no file of a module in it (path/@v/version.mod)");
  return files;
}

/** A whole text file. Throws GRANARY_INPUT_UNREADABLE. */
export async function readText(file: string, maxBytes: number): Promise<string> {
  const { size } = await inPlace(file, () => stat(file));
  if (size > maxBytes) throw unreadable(file, `larger than ${maxBytes} bytes`);
  return await inPlace(file, () => readFile(file, "utf8"));
}

async function inPlace<T>(place: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BadLine) throw unreadable(`${place}:${error.line}`, error.message, error);
    const isOurs = error instanceof ProtocolError || (error instanceof Error && "syscall" in error);
    if (isOurs) throw unreadable(place, error.message, error);
    throw error;
  }
}

function unreadable(place: string, reason: string, cause?: Error): GranaryError {
  return new GranaryError("GRANARY_INPUT_UNREADABLE", { place, reason }, { cause });
}
