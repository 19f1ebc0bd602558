// The small files of a module cache and what go prints: whatever the bytes, a reading or a reason, and no throw.
import test from "node:test";
import fc from "fast-check";

import { parseVersion } from "#protocol/version.ts";
import { parseDownloads, parseTrace } from "#services/modcache/download.ts";
import { countNuls, readInfo, readZiphash } from "#services/modcache/files.ts";
import { indexGoSums } from "#services/modcache/known.ts";
import { readId, readName } from "#services/modcache/layout.ts";
import { announceSeed, runs } from "./arbitraries.ts";

announceSeed();

const version = parseVersion("v1.0.0");
const seeds = [
  "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}',
  "v1.0.0.zip123.tmp",
  "# get https://a.example/m/@v/v1.0.0.zip: 200 OK (0.001s)\n",
  '{\n\t"Path": "a.example/m",\n\t"Version": "v1.0.0"\n}\n',
  "a.example/m v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
];
/** A seed with something put into it, seeds in a row, or anything. */
const texts = fc.oneof(
  fc
    .tuple(fc.constantFrom(...seeds), fc.nat(200), fc.string({ unit: "binary", maxLength: 8 }), fc.nat(8))
    .map(([seed, at, text, gone]) => seed.slice(0, at) + text + seed.slice(at + gone)),
  fc.array(fc.constantFrom(...seeds, "{", "\n", "\0", "# get "), { maxLength: 40 }).map((all) => all.join("")),
  fc.string({ unit: "binary", maxLength: 400 }),
);

test("readers of a module cache take anything", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(text);
      readZiphash(bytes);
      readInfo(bytes, version);
      countNuls(bytes);
      readName(text);
      readId(text, text);
      parseTrace(text);
      parseDownloads(text);
      indexGoSums([{ file: "go.sum", text }]);
    }),
    runs(),
  );
});
