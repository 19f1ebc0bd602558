import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkModuleZip } from "./zip-check.ts";
import { bytesSource } from "./zip-bytes.ts";
import { planMove } from "./zip-move.ts";
import { writeModuleZip } from "./zip-write.ts";
import { zipCases } from "../../test/fixtures/hostile-zips.ts";

const from = { path: "new.corp/x/foo", version: "v1.0.0" };
const to = { path: "old.corp/some/where/else", version: "v1.0.0" };
const prefix = { from: "new.corp/x/foo@v1.0.0/", to: "old.corp/some/where/else@v1.0.0/" };

async function moved(
  zip: Uint8Array,
): Promise<{ readonly bytes: Buffer; readonly size: number; readonly hasGoMod: boolean }> {
  const read = (offset: number, length: number) => Promise.resolve(zip.subarray(offset, offset + length));
  const { pieces, size, hasGoMod } = await planMove({ size: zip.length, read }, prefix);
  const bytes = pieces.map((piece) =>
    piece instanceof Uint8Array ? piece : zip.subarray(piece.offset, piece.offset + piece.length),
  );
  return { bytes: Buffer.concat(bytes), size, hasGoMod };
}

test("a moved zip is the zip of the same files under the other name, byte for byte", async () => {
  const name = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,2}\.go$/);
  const files = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 3_000 })), {
    selector: ([each]) => each,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(files, fc.boolean(), async (drawn, withGoMod) => {
      const all = [...drawn, ...(withGoMod ? [["go.mod", Buffer.from("module x.y\n")] as const] : [])];
      const list = all.map(([each, content]) => ({ name: each, content }));
      let zip;
      try {
        zip = writeModuleZip(from, list);
      } catch {
        return; // two names of which one is a folder of the other
      }
      const { bytes, size, hasGoMod } = await moved(zip);
      assert.equal(bytes.length, size);
      assert.equal(hasGoMod, withGoMod);
      const want = writeModuleZip(to, list);
      assert.ok(bytes.equals(want));
      assert.equal(checkModuleZip(bytesSource(bytes), to).h1, checkModuleZip(bytesSource(want), to).h1);
    }),
    { numRuns: 200 },
  );
});

for (const { what, make } of zipCases.filter(({ rule, stricter }) => rule === undefined && stricter !== true))
  test(`moved: ${what}`, async () => {
    const { bytes, size } = await moved(make(prefix.from));
    assert.equal(bytes.length, size);
    const { h1, valid } = checkModuleZip(bytesSource(bytes), to);
    assert.deepEqual([valid, h1], [true, checkModuleZip(bytesSource(make(prefix.to)), to).h1]);
  });

test("a name outside the module is refused", async () => {
  await assert.rejects(moved(writeModuleZip(to, [{ name: "a.go", content: Buffer.from("package a\n") }])), {
    code: "BAD_ZIP",
  });
});
