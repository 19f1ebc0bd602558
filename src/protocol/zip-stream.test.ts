import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import fc from "fast-check";

import { streamModuleZip } from "./zip-stream.ts";
import type { StreamedFile, ZipTarget } from "./zip-stream.ts";
import { writeModuleZip } from "./zip-write.ts";
import type { ZipFile } from "./zip-write.ts";

const id = { path: "example.com/hello", version: "v1.2.3" };
const megabyte = 1024 * 1024;

class MemoryTarget implements ZipTarget {
  bytes = Buffer.alloc(0);
  largest = 0;

  write(bytes: Uint8Array, position: number): Promise<void> {
    assert.ok(position <= this.bytes.length, "a hole");
    this.largest = Math.max(this.largest, bytes.length);
    const rest = this.bytes.subarray(position + bytes.length);
    this.bytes = Buffer.concat([this.bytes.subarray(0, position), bytes, rest]);
    return Promise.resolve();
  }

  truncate(size: number): Promise<void> {
    this.bytes = this.bytes.subarray(0, size);
    return Promise.resolve();
  }
}

function* inPieces(content: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield Uint8Array.from(content.subarray(at, at + size));
}

const streamed = ({ name, content }: ZipFile, piece = 64 * 1024): StreamedFile => ({
  name,
  size: content.length,
  chunks: () => inPieces(content, piece),
});

async function stream(files: readonly StreamedFile[]): Promise<MemoryTarget> {
  const target = new MemoryTarget();
  assert.equal(await streamModuleZip(id, files, target), target.bytes.length);
  return target;
}

const text = Buffer.from("package hello // and so on\n".repeat(120_000));
const mixed = Buffer.concat([randomBytes(megabyte), text.subarray(0, megabyte)]);
const files: readonly ZipFile[] = [
  { name: "go.mod", content: Buffer.from("module example.com/hello\n") },
  { name: "empty", content: Buffer.of() },
  { name: "ü/世界.txt", content: randomBytes(9_000) },
  { name: "large.txt", content: text },
  { name: "random.bin", content: randomBytes(3 * megabyte) },
  { name: "mixed.bin", content: mixed },
  { name: "z", content: Buffer.from("last") },
];

test("streamModuleZip() writes the bytes of writeModuleZip(), stored files and large ones too", async () => {
  const { bytes, largest } = await stream(files.map((file) => streamed(file)));
  assert.ok(bytes.equals(writeModuleZip(id, files)));
  assert.ok(largest < megabyte, `${largest} bytes at once`);
});

test("streamModuleZip() cuts off what a file that is stored after all had taken", async () => {
  const only = { name: "a.bin", content: randomBytes(2 * megabyte) };
  assert.ok((await stream([streamed(only)])).bytes.equals(writeModuleZip(id, [only])));
});

test("streamModuleZip() writes the same bytes however the files come in pieces", async () => {
  const pieces = fc.integer({ min: 1_000, max: 300_000 });
  const content = fc
    .oneof(fc.constant(text), fc.constant(mixed))
    .chain((whole) => fc.nat(200_000).map((from) => whole.subarray(from)));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(content, pieces), { minLength: 1, maxLength: 2 }), async (parts) => {
      const made = parts.map(([bytes, piece], i) => ({ file: { name: `f${i}`, content: bytes }, piece }));
      const { bytes } = await stream(made.map(({ file, piece }) => streamed(file, piece)));
      assert.ok(
        bytes.equals(
          writeModuleZip(
            id,
            made.map(({ file }) => file),
          ),
        ),
      );
    }),
    { numRuns: 8 },
  );
});

for (const size of [10, 2 * megabyte]) {
  for (const change of [-1, 1]) {
    test(`streamModuleZip() refuses a file of ${size} bytes that is ${change} byte longer than it says`, async () => {
      const file = { ...streamed({ name: "x", content: Buffer.alloc(size + change) }), size };
      await assert.rejects(stream([file]), { code: "BAD_ZIP" });
    });
  }
}

test("streamModuleZip() lets go of what it waited for", async () => {
  const warnings: string[] = [];
  const heard = (warning: Error): void => void warnings.push(warning.message);
  process.on("warning", heard);
  await stream([streamed({ name: "x", content: randomBytes(4 * megabyte) }, 32 * 1024)]);
  await new Promise(setImmediate);
  process.off("warning", heard);
  assert.deepEqual(warnings, []);
});

test("streamModuleZip() ends when the target fails, or the source does", async () => {
  const broken = new MemoryTarget();
  let writes = 0;
  broken.write = () => (writes++ < 2 ? Promise.resolve() : Promise.reject(new Error("disk full")));
  const large = streamed({ name: "x", content: randomBytes(8 * megabyte) }, 16_000);
  await assert.rejects(streamModuleZip(id, [large], broken), /disk full/);
  const torn = function* (): Iterable<Uint8Array> {
    yield Buffer.alloc(megabyte);
    throw new Error("gone");
  };
  await assert.rejects(stream([{ name: "x", size: 2 * megabyte, chunks: torn }]), /gone/);
});

for (const name of ["../x", "d/", "", "sub/go.mod", "con"]) {
  test(`streamModuleZip() refuses the name ${JSON.stringify(name)}`, async () => {
    await assert.rejects(stream([streamed({ name, content: Buffer.of(1) })]), { code: "BAD_ZIP" });
  });
}
