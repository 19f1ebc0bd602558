// What an evil proxy has to work with: the true module and the one it would rather have built, a checksum database
// whose key it holds, and honest answers as raw material for lies.
import { formatTree } from "#protocol/checkpoint.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import { generateKey, parseSignerKey, signNote } from "#protocol/note.ts";
import type { Signer } from "#protocol/note.ts";
import { readTileData, tileWidth } from "#protocol/tile.ts";
import type { Tile } from "#protocol/tile.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { SparseLog } from "./evil-log.ts";
import { fixtureZip } from "./fixture-zip.ts";
import { goModOf, makeModule } from "./modules.ts";
import type { ModuleFixture } from "./modules.ts";

/** Reserved (RFC 2606): nothing reaches it but a tunnel. */
export const evilName = "sum.example.test";
const { signerKey, verifierKey } = generateKey(evilName, Buffer.alloc(32, 66));
export const evilKey = verifierKey;
const signer = parseSignerKey(signerKey);

const goMod = (path: string): string => `module ${path}\n\ngo 1.19\n`;
const path = "example.com/hello";

/** The module everybody wants. */
export const genuine = makeModule({
  path,
  version: "v1.0.0",
  files: { "go.mod": goMod(path), "hello.go": 'package hello\n\nconst Says = "hello"\n' },
});
/** What the evil proxy serves in its place: the same go.mod, other code. */
export const evil = makeModule({
  path,
  version: "v1.0.0",
  files: { "go.mod": goMod(path), "hello.go": 'package hello\n\nconst Says = "your keys, please"\n' },
});
export const nextVersion = makeModule({ path, version: "v1.0.1" });
export const neighbour = makeModule({ path: "example.com/neighbour", version: "v1.0.0" });
/** Downloaded while the database was still honest, by those who have a past. */
export const earlier = makeModule({ path: "example.com/earlier", version: "v1.0.0" });

const h1Of = (module: ModuleFixture): string => checkModuleZip(bytesSource(fixtureZip(module)), module).h1;
export const zipLine = (module: ModuleFixture): string => `${module.path} ${module.version} ${h1Of(module)}\n`;
export const modLine = ({ path, version, ...rest }: ModuleFixture): string =>
  `${path} ${version}/go.mod ${hashGoMod(Buffer.from(goModOf({ path, version, ...rest })))}\n`;
export const recordOf = (module: ModuleFixture): string => zipLine(module) + modLine(module);

/**
 * A size with one complete subtree in each tile of its edge: tiles of four levels, as the real database has, and
 * nothing that GO-2026-6179 would leave unchecked.
 */
export const plainSize = 256 ** 3 + 256 ** 2 + 256 + 1;
/** Where the module's record is: below full tiles of three levels. */
export const helloNumber = 1000;

/** Everything is on record, the module itself only for those who did not come early. */
export const honestLog = new SparseLog(
  plainSize,
  new Map([
    [helloNumber, recordOf(genuine)],
    [helloNumber + 1, recordOf(nextVersion)],
    [helloNumber + 2, recordOf(neighbour)],
    [70_000, recordOf(earlier)],
  ]),
);
/** The same before the module was published. */
export const earlyLog = new SparseLog(
  plainSize,
  new Map([
    [helloNumber + 2, recordOf(neighbour)],
    [70_000, recordOf(earlier)],
  ]),
);

/** A signed head. `more`: lines after the third, which go ignores. */
export async function headOf(
  log: SparseLog,
  { size = log.size, more = "", by = signer }: { size?: number; more?: string; by?: Signer } = {},
): Promise<string> {
  return signNote(formatTree({ size, root: await log.root(size) }) + more, [by]);
}

/** Signs any text with the database's key. */
export function signed(text: string, by: Signer = signer): string {
  return signNote(text, [by]);
}

/** A lookup's answer. */
export const answer = (id: number | string, text: string, head: string): Uint8Array =>
  Buffer.from(`${id}\n${text}\n${head}`);

/** The bytes of a tile of a log; undefined beyond its end. */
export async function tileOf(log: SparseLog, tile: Tile): Promise<Uint8Array | undefined> {
  return tileWidth(tile, log.size) < tile.width ? undefined : await readTileData(tile, log.reader);
}

/** Whether a tile is one of those that lead to the module's record. */
export function isOnTheWay(tile: Tile, level = tile.level): boolean {
  return tile.level === level && tile.index === Math.floor(helloNumber / 256 ** (level + 1));
}
