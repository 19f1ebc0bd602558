import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGoEnvFile, valuesOf } from "./go-env-file.ts";

test("a go env file is read as go reads it: no trimming, no quotes, the last of two lines", () => {
  const { lines } = parseGoEnvFile("GOPROXY='https://a',direct\r\nGOPRIVATE = x\nGOSUMDB=a=b\nGOSUMDB=off\nA");
  assert.deepEqual(
    lines.map(({ name, value, line }) => [name, value, line]),
    [
      ["GOPROXY", "'https://a',direct\r", 1],
      ["GOPRIVATE ", " x", 2],
      ["GOSUMDB", "a=b", 3],
      ["GOSUMDB", "off", 4],
    ],
  );
  assert.equal(valuesOf({ lines, ignored: [] }).get("GOSUMDB")?.line, 4);
});

test("what go passes over is named, comments and empty lines aside", () => {
  const { lines, ignored } = parseGoEnvFile(
    "# GOPROXY=a\n\n GOPROXY=a\nexport GOPROXY=b\ngoproxy=c\nGOPROXY\n\t# x\n=d\n",
  );
  assert.deepEqual(lines, []);
  assert.deepEqual(
    ignored.map(({ line, why }) => [line, why]),
    [
      [3, "blank"],
      [4, "export"],
      [5, "lower-case"],
      [6, "no-equals"],
      [8, "lower-case"],
    ],
  );
});
