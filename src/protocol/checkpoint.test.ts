import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTree, openCheckpoint, parseTree } from "./checkpoint.ts";
import { generateKey, parseSignerKey, signNote } from "./note.ts";
import { emptyRoot, maxTreeSize } from "./tlog.ts";

const signer = parseSignerKey(generateKey("sum.example", new Uint8Array(32).fill(3)).signerKey);
const root = "nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=";
const text = `go.sum database tree\n2\n${root}\n`;

test("parseTree() reads x/mod's example and ignores later lines", () => {
  for (const each of [text, `${text}more\nlines\n`, `${text}no newline`]) {
    const tree = parseTree(each);
    assert.equal(tree.size, 2);
    assert.equal(Buffer.from(tree.root).toString("base64"), root);
  }
});

test("parseTree() inverts formatTree()", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: maxTreeSize }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (size, hash) => {
        const tree = parseTree(formatTree({ size, root: hash }));
        assert.equal(tree.size, size);
        assert.deepEqual(Uint8Array.from(tree.root), hash);
      },
    ),
  );
});

const bad = [
  "",
  text.slice(0, -1),
  text.replace("tree", "tree v2"),
  text.replace("\n2\n", "\n02\n"),
  text.replace("\n2\n", "\n-2\n"),
  text.replace("\n2\n", "\n+2\n"),
  text.replace("\n2\n", "\n2 \n"),
  text.replace("\n2\n", "\n\n"),
  text.replace("\n2\n", "\n0x2\n"),
  text.replace("\n2\n", "\n2e1\n"),
  text.replace("\n2\n", "\n9007199254740993\n"),
  text.replace("\n2\n", `\n${"9".repeat(400)}\n`),
  text.replace("QeI=", "QQ=="),
  text.replace("nND", "n!D"),
  `${text}${"x".repeat(1_000_000)}`,
];
for (const each of bad)
  test(`parseTree(${JSON.stringify(each.slice(0, 60))}) refuses`, () => {
    assert.throws(() => parseTree(each), { code: "BAD_CHECKPOINT" });
  });

test("openCheckpoint() yields a tree only from a note that its key signed", () => {
  const message = signNote(formatTree({ size: 0, root: emptyRoot() }), [signer]);
  const checkpoint = openCheckpoint(message, signer.verifier);
  assert.equal(checkpoint.size, 0);
  assert.equal(Buffer.from(checkpoint.bytes).toString(), message);
  const stranger = parseSignerKey(generateKey("sum.example").signerKey);
  assert.throws(() => openCheckpoint(message, stranger.verifier), { code: "NOTE_UNVERIFIED" });
  assert.throws(() => openCheckpoint(signNote("hello\n", [signer]), signer.verifier), { code: "BAD_CHECKPOINT" });
});
