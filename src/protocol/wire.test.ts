import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath } from "./path.ts";
import { goPathEscape, parseWirePath, parseWireVersion, wirePath, wireVersion } from "./wire.ts";

const escapes = [
  ["v1.0.0-!r!c1", "v1.0.0-%21r%21c1"],
  ["v2.0.0+incompatible", "v2.0.0+incompatible"],
  ["a_b~c@d:e&f=g$h", "a_b~c@d:e&f=g$h"],
  ["/;,?", "%2F%3B%2C%3F"],
  [" '()*<>[]{}|^`\"#%\\\n", "%20%27%28%29%2A%3C%3E%5B%5D%7B%7D%7C%5E%60%22%23%25%5C%0A"],
  ["é", "%C3%A9"],
] as const;
for (const [text, want] of escapes)
  test(`goPathEscape(${JSON.stringify(text)}) is ${want}`, () => {
    assert.equal(goPathEscape(text), want);
    assert.equal(decodeURIComponent(want), text);
  });

test("paths and versions are spelled as the go command spells them", () => {
  assert.equal(wirePath(parsePath("github.com/Azure/x~y")), "/github.com/%21azure/x~y");
  assert.equal(wireVersion("Feat#1"), "%21feat%231");
  assert.throws(() => wireVersion("feature/x"), { code: "BAD_VERSION" });
});

test("only %21 is decoded in a path, and a version is decoded once", () => {
  assert.equal(parseWirePath(["github.com", "%21azure"]), "github.com/Azure");
  assert.throws(() => parseWirePath(["github.com", "%61"]), { code: "BAD_TARGET" });
  assert.equal(parseWireVersion("a%2541", "a%2541.info"), "a%41");
});
