// Finds a systemd unit, its drop-ins and its environment files. Source: systemd.unit(5), unit file load path.

import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { namesIn, readTextFile } from "#adapters/system/text-files.ts";
import { readUnitTexts, unitScope } from "#services/environment/unit-scope.ts";
import type { NamedText, UnitTexts } from "#services/environment/unit-scope.ts";
import type { ScopeFile } from "#services/environment/scopes.ts";
import { GranaryError } from "#services/errors/granary-error.ts";

/** The first one wins. */
const folders = [
  "etc/systemd/system",
  "run/systemd/system",
  "usr/local/lib/systemd/system",
  "usr/lib/systemd/system",
  "lib/systemd/system",
];
/** EnvironmentFile= of one unit that are looked at. */
const maxEnvironmentFiles = 32;

type UnitPlaces = { readonly root: string; readonly units: readonly string[] };

/** Each unit by path, or by name. Throws GRANARY_INPUT_UNREADABLE for one that is not there. */
export async function readUnits({ root, units }: UnitPlaces): Promise<readonly ScopeFile[]> {
  const read = await Promise.all(units.map((unit) => readOne(unit, root)));
  return read.flat();
}

async function readOne(unit: string, root: string): Promise<readonly ScopeFile[]> {
  const texts = await unitTexts(unit, root);
  const reading = readUnitTexts(texts);
  const environmentFiles: NamedText[] = [];
  const unread: string[] = [];
  for (const { path, isOptional } of reading.files.slice(0, maxEnvironmentFiles)) {
    // A specifier or a pattern is systemd's to resolve.
    const text = isAbsolute(path) && !/[%*?]/.test(path) ? await readOrNothing(join(root, path)) : undefined;
    if (text !== undefined) environmentFiles.push({ file: path, text });
    else if (!isOptional || /[%*?]/.test(path)) unread.push(path);
  }
  return unitScope(texts, reading, { environmentFiles, unread });
}

async function unitTexts(unit: string, root: string): Promise<UnitTexts> {
  const name = basename(unit.includes(".") ? unit : `${unit}.service`);
  const candidates = unit.includes("/") ? [resolve(unit)] : folders.map((folder) => join(root, folder, name));
  for (const file of candidates) {
    const text = await readTextFile(file).catch((error: unknown) => {
      throw unreadable(file, error);
    });
    if (text === undefined) continue;
    const isOfUser = /\/systemd\/user\//.test(file);
    return {
      name,
      isOfUser,
      texts: [{ file: unit.includes("/") ? unit : file, text }, ...(await dropIns(file, name, root))],
    };
  }
  throw unreadable(unit, new Error(`no such unit: ${candidates.map(dirname).join(", ")}`));
}

/** By name, the first folder's one of each name. */
async function dropIns(file: string, name: string, root: string): Promise<readonly NamedText[]> {
  const places = [...new Set([`${file}.d`, ...folders.map((folder) => join(root, folder, `${name}.d`))])];
  const found = new Map<string, NamedText>();
  for (const place of places)
    for (const each of await namesIn(place, /\.conf$/)) {
      const text = found.has(each) ? undefined : await readOrNothing(join(place, each));
      if (text !== undefined) found.set(each, { file: join(place, each), text });
    }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
}

async function readOrNothing(file: string): Promise<string | undefined> {
  return await readTextFile(file).catch(() => undefined);
}

function unreadable(place: string, error: unknown): GranaryError {
  const reason = error instanceof Error ? error.message : String(error);
  return new GranaryError("GRANARY_INPUT_UNREADABLE", { place, reason }, { cause: error });
}
