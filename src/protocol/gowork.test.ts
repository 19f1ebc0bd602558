import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGoWork } from "./gowork.ts";

test("a go.work names its directories, replacements, go and toolchain", () => {
  const text = `go 1.26.0

toolchain go1.26.8

godebug default=go1.21

use (
	./a
	"./b c" // with a space
)
use .

replace example.com/x v1.0.0 => ../x
`;
  assert.deepEqual(parseGoWork(text), {
    go: "1.26.0",
    toolchain: "go1.26.8",
    use: ["./a", "./b c", "."],
    replace: [{ old: { path: "example.com/x", version: "v1.0.0" }, new: { path: "../x", version: "" } }],
  });
});

for (const text of [
  "module example.com/m\n",
  "require example.com/x v1.0.0\n",
  "use\n",
  "use a b\n",
  "require (\n)\n",
  "go 1.x\n",
  "use (\n./a\n",
])
  test(`refused: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseGoWork(text), { code: "BAD_GOMOD" });
  });
