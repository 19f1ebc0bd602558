import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGoSum } from "./gosum.ts";

const h1 = "h1:g61tztE5qeGQ89tm6NTjjM9VPIm088od1l6aSorWRWg=";

test("a line names the zip or the go.mod of a version; blank lines and odd spaces are nothing", () => {
  const { lines, malformed } = parseGoSum(
    `golang.org/x/text v0.3.0 ${h1}\n\n  golang.org/x/text\tv0.3.0/go.mod ${h1}  \r\n`,
  );
  assert.deepEqual(malformed, []);
  assert.deepEqual(
    lines.map(({ line, id, file, hash }) => [line, id.path, id.version, file, hash]),
    [
      [1, "golang.org/x/text", "v0.3.0", "zip", h1],
      [3, "golang.org/x/text", "v0.3.0", "mod", h1],
    ],
  );
});

test("what is malformed is named by its line, and the rest is read", () => {
  const text = [
    `golang.org/x/text v0.3.0`,
    `golang.org/x/text v0.3.0 ${h1} more`,
    `golang.org/x/text latest ${h1}`,
    `golang.org/x/text v0.3.0 sha256:abc`,
    `/x v0.3.0 ${h1}`,
    `golang.org/x/text v0.3.0 ${h1}`,
  ].join("\n");
  const { lines, malformed } = parseGoSum(text);
  assert.deepEqual(
    malformed.map(({ line }) => line),
    [1, 2, 3, 4, 5],
  );
  assert.equal(malformed[0]?.reason, "not of the form: path version h1:hash");
  assert.deepEqual(
    lines.map(({ line }) => line),
    [6],
  );
});

test("hashes of other algorithms are lines; the hash of no go.mod is none", () => {
  const { lines, malformed } = parseGoSum(
    "a.test/m v1.0.0 h2:abc\na.test/m v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n",
  );
  assert.deepEqual([lines.map(({ hash }) => hash), malformed], [["h2:abc"], []]);
});
