import assert from "node:assert/strict";
import { test } from "node:test";

import { goModPlaces, locateModule, parseModuleTag } from "./module-tag.ts";
import { parsePath } from "./path.ts";

const mod = (path: string): Uint8Array => Buffer.from(`module ${path}\n`);

const tags = [
  ["v1.2.3", "", "v1.2.3", "go.mod", undefined],
  ["v0.1.0-rc.1", "", "v0.1.0-rc.1", "go.mod", undefined],
  ["v2.0.0", "", "v2.0.0", "go.mod", "v2/go.mod"],
  ["sub/dir/v1.0.0", "sub/dir", "v1.0.0", "sub/dir/go.mod", undefined],
  ["sub/v3.1.0", "sub", "v3.1.0", "sub/go.mod", "sub/v3/go.mod"],
] as const;

for (const [tag, dir, version, own, major] of tags) {
  test(`parseModuleTag(${tag})`, () => {
    const parsed = parseModuleTag(tag);
    assert.deepEqual([parsed.dir, parsed.version], [dir, version]);
    assert.deepEqual(goModPlaces(parsed), { own, major });
  });
}

const noTags = [
  "",
  "v1",
  "v1.2",
  "1.2.3",
  "v1.2.3+meta",
  "v2.0.0+incompatible",
  "v01.2.3",
  "main",
  "-v1.2.3",
  "--upload-pack=x/v1.0.0",
  "/v1.0.0",
  "a//v1.0.0",
  "../v1.0.0",
  "a/../v1.0.0",
  "a:b/v1.0.0",
  "v0.0.0-20240101000000-abcdefabcdef",
];

for (const tag of noTags) {
  test(`parseModuleTag() refuses ${JSON.stringify(tag)}`, () => {
    assert.throws(() => parseModuleTag(tag), { code: "BAD_VERSION" });
  });
}

type Row = {
  readonly tag: string;
  readonly own?: string;
  readonly below?: string;
  readonly named?: string;
  readonly want: string;
};

const located: readonly Row[] = [
  { tag: "v1.0.0", own: "corp.example/m", want: "corp.example/m@v1.0.0 in " },
  { tag: "v1.0.0", own: "corp.example/m", named: "corp.example/m", want: "corp.example/m@v1.0.0 in " },
  { tag: "v2.0.0", own: "corp.example/m/v2", want: "corp.example/m/v2@v2.0.0 in " },
  { tag: "v2.0.0", own: "corp.example/m", below: "corp.example/m/v2", want: "corp.example/m/v2@v2.0.0 in v2" },
  { tag: "v2.0.0", below: "corp.example/m/v2", want: "corp.example/m/v2@v2.0.0 in v2" },
  { tag: "sub/v0.1.0", own: "corp.example/m/sub", want: "corp.example/m/sub@v0.1.0 in sub" },
  { tag: "sub/v2.1.0", below: "corp.example/m/sub/v2", want: "corp.example/m/sub/v2@v2.1.0 in sub/v2" },
  { tag: "v3.0.0", own: "gopkg.in/yaml.v3", want: "gopkg.in/yaml.v3@v3.0.0 in " },
  { tag: "v1.0.0", named: "corp.example/old", want: "corp.example/old@v1.0.0 in , no go.mod" },
  { tag: "v4.0.0", named: "corp.example/old", want: "corp.example/old@v4.0.0+incompatible in , no go.mod" },
  { tag: "v2.0.0", named: "gopkg.in/old.v2", want: "gopkg.in/old.v2@v2.0.0 in , no go.mod" },
  // What go refuses.
  { tag: "v2.0.0", own: "corp.example/m/v2", below: "corp.example/m/v2", want: "BAD_GOMOD" },
  { tag: "v2.0.0", own: "corp.example/m", want: "BAD_GOMOD" },
  { tag: "v2.0.0", own: "corp.example/m/v2", below: "corp.example/m/other", want: "BAD_GOMOD" },
  { tag: "v1.0.0", own: "corp.example/m/v2", want: "BAD_GOMOD" },
  { tag: "v1.0.0", own: "corp.example/m", named: "corp.example/n", want: "BAD_GOMOD" },
  { tag: "v1.0.0", own: "corp.example/m/v1", want: "BAD_GOMOD" },
  { tag: "v1.0.0", own: "nodot/m", want: "BAD_PATH" },
  { tag: "v1.0.0", own: "", want: "BAD_GOMOD" },
  { tag: "v1.0.0", want: "BAD_GOMOD" },
  { tag: "sub/v1.0.0", named: "corp.example/m/sub", want: "BAD_GOMOD" },
  { tag: "sub/v1.0.0", own: "gopkg.in/yaml.v1", want: "BAD_GOMOD" },
  { tag: "v2.0.0", named: "corp.example/m/v2", want: "BAD_GOMOD" },
  { tag: "v1.0.0", named: "gopkg.in/old.v2", want: "BAD_VERSION" },
];

for (const { tag, own, below, named, want } of located) {
  test(`locateModule(${tag}), go.mod ${own ?? "absent"}, vN/go.mod ${below ?? "absent"}, ${named ?? "no name"}`, () => {
    const find = (): string => {
      const files = {
        own: own === undefined ? undefined : mod(own),
        major: below === undefined ? undefined : mod(below),
      };
      const module = locateModule(parseModuleTag(tag), files, named === undefined ? undefined : parsePath(named));
      return `${module.id.path}@${module.id.version} in ${module.dir}${module.hasGoMod ? "" : ", no go.mod"}`;
    };
    if (want.startsWith("BAD_")) assert.throws(find, { code: want });
    else assert.equal(find(), want);
  });
}
