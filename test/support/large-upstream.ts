// An upstream of modules as large as one likes that costs nothing to have: each zip stores one file, a block of noise
// repeated, and is made while it is sent. With the checksum database that has recorded them.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { hash1, hashGoMod } from "#protocol/dirhash.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { someBytes } from "./manifests.ts";

const block = Buffer.from(someBytes(1 << 20, 42));
const version = "v1.0.0";

export type LargeUpstream = {
  readonly url: string;
  /** GOSUMDB syntax, through the upstream's tunnel. */
  readonly sumdb: string;
  /** Request paths of the zips. */
  readonly zips: readonly string[];
  /** Length of each zip. */
  readonly size: number;
  /** SHA-256 of each zip, in hexadecimal, by request path. */
  readonly hashes: ReadonlyMap<string, string>;
  close(): Promise<void>;
};

/** `count` modules whose zips hold `megabytes` each. */
export async function startLargeUpstream(count: number, megabytes: number): Promise<LargeUpstream> {
  const database = new TestDatabase({ name: "sum.example.test", seed: Buffer.alloc(32, 7) });
  const noise = createHash("sha256");
  let crc = 0;
  for (let n = 0; n < megabytes; n++) {
    noise.update(block);
    crc = crc32(block, crc);
  }
  const sha256 = noise.digest("hex");
  const zips = new Map<string, Zip>();
  for (let n = 0; n < count; n++) {
    const path = `large${n}.example.com/m`;
    const goMod = Buffer.from(`module ${path}\n`);
    const prefix = `${path}@${version}/`;
    const names = { goMod: `${prefix}go.mod`, noise: `${prefix}noise.bin` };
    const zip = hash1([
      { name: names.goMod, sha256: createHash("sha256").update(goMod).digest("hex") },
      { name: names.noise, sha256 },
    ]);
    await database.addModule(checkModuleVersion(path, version), { zip, mod: hashGoMod(goMod) });
    zips.set(`/${path}/@v/${version}`, makeZip(goMod, names, { crc, megabytes }));
  }
  const server = createServer((request, response) => {
    void answer(request.url ?? "/", { zips, database }).then(async ({ status, body, length }) => {
      response.writeHead(status, length === undefined ? {} : { "content-length": length });
      // A client that goes away in the middle is no error of ours.
      await pipeline(body, response).catch(() => undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sumdb: `${database.verifierKey} ${url}/sumdb/${database.name}`,
    zips: [...zips.keys()].map((stem) => `${stem}.zip`),
    size: [...zips.values()][0]?.size ?? 0,
    hashes: new Map([...zips].map(([stem, zip]) => [`${stem}.zip`, hashOf(zip)])),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** What stands before and behind the noise. */
type Zip = {
  readonly goMod: Buffer;
  readonly head: Buffer;
  readonly megabytes: number;
  readonly tail: Buffer;
  readonly size: number;
};

/** APPNOTE.TXT §4.3: two stored files, the directory, its end. */
function makeZip(
  goMod: Buffer,
  names: { readonly goMod: string; readonly noise: string },
  noise: { readonly crc: number; readonly megabytes: number },
): Zip {
  const small = { name: names.goMod, crc: crc32(goMod), size: goMod.length };
  const large = { name: names.noise, crc: noise.crc, size: noise.megabytes * block.length };
  const head = Buffer.concat([localHeader(small), goMod, localHeader(large)]);
  const largeAt = head.length - localHeader(large).length;
  const directory = Buffer.concat([directoryEntry(small, 0), directoryEntry(large, largeAt)]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(2, 8);
  end.writeUInt16LE(2, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(head.length + large.size, 16);
  const tail = Buffer.concat([directory, end]);
  return { goMod, head, megabytes: noise.megabytes, tail, size: head.length + large.size + tail.length };
}

type Stored = { readonly name: string; readonly crc: number; readonly size: number };

function localHeader(file: Stored): Buffer {
  const fixed = Buffer.alloc(30);
  fixed.writeUInt32LE(0x04034b50, 0);
  common(file).copy(fixed, 4);
  return Buffer.concat([fixed, Buffer.from(file.name)]);
}

function directoryEntry(file: Stored, at: number): Buffer {
  const fixed = Buffer.alloc(46);
  fixed.writeUInt32LE(0x02014b50, 0);
  fixed.writeUInt16LE(20, 4);
  common(file).copy(fixed, 6);
  fixed.writeUInt32LE(at, 42);
  return Buffer.concat([fixed, Buffer.from(file.name)]);
}

/** What both headers have: version 2.0, no flags, stored, no time, checksum, sizes, length of the name. */
function common({ name, crc, size }: Stored): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  return fields;
}

function* piecesOf({ head, megabytes, tail }: Zip): Generator<Buffer> {
  yield head;
  for (let n = 0; n < megabytes; n++) yield block;
  yield tail;
}

function hashOf(zip: Zip): string {
  const hash = createHash("sha256");
  for (const piece of piecesOf(zip)) hash.update(piece);
  return hash.digest("hex");
}

async function answer(
  url: string,
  from: { readonly zips: ReadonlyMap<string, Zip>; readonly database: TestDatabase },
): Promise<{ readonly status: number; readonly body: Readable; readonly length?: number }> {
  const tunnel = `/sumdb/${from.database.name}`;
  if (url === `${tunnel}/supported`) return { status: 200, body: Readable.from([]) };
  if (url.startsWith(`${tunnel}/`)) {
    const { status, bytes } = await from.database.answer(url.slice(tunnel.length));
    return { status, body: Readable.from([Buffer.from(bytes)]) };
  }
  const [, stem = "", ending] = /^(.*)\.(info|mod|zip)$/.exec(url) ?? [];
  const zip = from.zips.get(stem);
  if (zip === undefined) return { status: 404, body: Readable.from([]) };
  if (ending === "zip") return { status: 200, body: Readable.from(piecesOf(zip)), length: zip.size };
  const text = ending === "mod" ? zip.goMod : Buffer.from(JSON.stringify({ Version: version }));
  return { status: 200, body: Readable.from([text]) };
}
