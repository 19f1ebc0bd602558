// The checksum database of made-up modules, as a folder: all that clients of one head may ask, the head, every lookup,
// every tile of the log's size.
import { createCipheriv, createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestDatabase } from "#services/lab/sumdb-server.ts";

/** Hashes in a full tile. */
const tileWidth = 256;

/** @param versions `path@version` of every module on record, unescaped */
export async function writeDatabase(root: string, database: TestDatabase, versions: readonly string[]): Promise<void> {
  const base = join(root, "sumdb", database.name);
  const keep = async (path: string): Promise<void> => {
    const { status, bytes } = await database.answer(path);
    if (status !== 200) throw new Error(`the made-up database has no ${path}`);
    await writeIn(join(base, path), bytes);
  };
  await keep("/latest");
  for (const version of versions) await keep(`/lookup/${escapeCase(version)}`);
  for (let level = 0, width = database.size; width > 0; level++, width = Math.floor(width / tileWidth)) {
    const full = Math.floor(width / tileWidth);
    const name = (index: number): string => `/tile/8/${level}/${String(index).padStart(3, "0")}`;
    for (let index = 0; index < full; index++) await keep(name(index));
    if (width % tileWidth > 0) await keep(`${name(full)}.p/${width % tileWidth}`);
  }
}

/** Somebody else's record, so that a log is as large as real ones are for the work at hand. */
export function otherRecord(at: number): string {
  const path = `others.example.com/m${at}`;
  const sum = (what: string): string => `h1:${sha256(Buffer.from(`${path} ${what}`)).toString("base64")}`;
  return `${path} v1.0.0 ${sum("zip")}\n${path} v1.0.0/go.mod ${sum("mod")}\n`;
}

export async function writeIn(file: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

/** Bytes that look random and do not compress, the same for the same name. */
export function bytesFor(name: string, length: number): Buffer {
  const key = sha256(Buffer.from(name));
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

export function escapeCase(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
