// `granary publish` as it is typed, with a service that is played.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram } from "./program.ts";
import type { CliServices, PublishRequest, PublishView } from "./services.ts";
import { columnsOf } from "./text.ts";

const view: PublishView = {
  module: "corp.example/m",
  version: "v1.2.3",
  source: { kind: "tag", tag: "v1.2.3", commit: "0123456789abcdef0123456789abcdef01234567", dir: "" },
  goMod: "as-committed",
  bytes: 12,
  zipBytes: 300,
  sha256: "0".repeat(64),
  h1: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  goModH1: "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=",
  files: [{ path: "go.mod", size: 12 }],
  omitted: [{ path: "link.go", reason: "symlink" }],
  refused: [],
  isDryRun: false,
  server: "http://127.0.0.1:8080",
};

async function run(argv: readonly string[], more: Partial<PublishView> = {}, lang: "en" | "zh-CN" = "en") {
  const out = { code: -1, stdout: "", stderr: "", requests: [] as PublishRequest[] };
  const services: Partial<CliServices> = {
    publish: (request) => {
      out.requests.push(request);
      return Promise.resolve({ ...view, ...more });
    },
  };
  const io = {
    stdout: (text: string) => void (out.stdout += text),
    stderr: (text: string) => void (out.stderr += text),
    lang,
    isTerminal: false,
    isUtf8: true,
    shell: "bash" as const,
  };
  out.code = await runProgram(["publish", ...argv], {
    io,
    services: services as CliServices,
    settingFlags: [],
    version: "1.2.3",
  });
  return out;
}

test("a tag, a folder with a version: which is which is said by --version alone", async () => {
  const tag = await run(["sub/v1.2.3", "--repo=/r", "--module=corp.example/m/sub", "--dry-run"]);
  assert.partialDeepStrictEqual(tag.requests, [
    { what: "sub/v1.2.3", version: undefined, repo: "/r", module: "corp.example/m/sub", isDryRun: true },
  ]);
  const folder = await run(["v1.2.3", "--version", "v1.2.3", "--server=http://x", "--token=env:T"]);
  assert.partialDeepStrictEqual(folder.requests, [
    { what: "v1.2.3", version: "v1.2.3", isDryRun: false, at: { server: "http://x", token: "env:T" } },
  ]);
});

for (const argv of [
  [],
  ["."],
  ["main"],
  ["v1.2.3", "more"],
  [".", "--version=v1.0.0", "--repo=/r"],
  ["v1.0.0", "--versoin=v1"],
])
  test(`publish ${argv.join(" ")} is bad usage`, async () => {
    const { code, stderr, requests } = await run(argv);
    assert.deepEqual([code, requests.length], [2, 0]);
    assert.match(stderr, /GRANARY_(BAD_USAGE|UNKNOWN_FLAG)/);
  });

const said = "GRANARY_PUBLISH_CONFLICT: it is there\n\u001b[31mwith other content\n";
const outcomes: readonly (readonly [string, Partial<PublishView>, number, RegExp])[] = [
  ["new", { sent: { outcome: "new", tries: 1, said: undefined } }, 0, /^Published: http/m],
  ["same", { sent: { outcome: "same", tries: 1, said: undefined } }, 0, /^Nothing to do: http/m],
  [
    "conflict",
    { sent: { outcome: "conflict", tries: 1, said } },
    1,
    /^Not published: .*\n {2}GRANARY_PUBLISH_CONFLICT/m,
  ],
  ["refused there", { sent: { outcome: "refused", tries: 1, said } }, 1, /^Not published: /m],
  ["refused here", { refused: [{ path: "A.go", reason: "collision" }] }, 1, /^Not published, .*\n +A\.go +collision$/m],
  ["dry run", { isDryRun: true }, 0, /go\.mod +12 B[^]*link\.go +a symbolic link[^]*\nNothing was sent/],
  ["converted go.mod", { isDryRun: true, goMod: "converted" }, 0, /^\.gitattributes change go\.mod/m],
];

for (const [what, more, code, pattern] of outcomes) {
  test(`publish tells ${what}`, async () => {
    const { stdout, stderr, code: ended } = await run(["v1.2.3"], more);
    assert.deepEqual([ended, stderr], [code, ""]);
    assert.match(stdout, pattern);

    assert.doesNotMatch(stdout, /\u001b/);
    const chinese = await run(["v1.2.3"], more, "zh-CN");
    assert.match(chinese.stdout, /\p{Script=Han}/u);
  });
  test(`publish --json tells ${what}`, async () => {
    const { stdout, code: ended } = await run(["v1.2.3", "--json"], more);
    assert.equal(ended, code);
    assert.partialDeepStrictEqual(JSON.parse(stdout), {
      schema: "granary.publish/1",
      module: view.module,
      ...plain(more),
    });
  });
}

function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

test("long lists are cut on a screen, and whole as JSON", async () => {
  const files = Array.from({ length: 100 }, (_, i) => ({ path: `f${i}.go`, size: 1 }));
  const shown = await run(["v1.2.3"], { files, isDryRun: true });
  assert.match(shown.stdout, /… and 60 more/);
  const json = JSON.parse((await run(["v1.2.3", "--json"], { files, isDryRun: true })).stdout) as PublishView;
  assert.equal(json.files.length, 100);
});

test("the help of publish fits a terminal", async () => {
  const { stdout } = await run(["--help"]);
  assert.ok(stdout.split("\n").every((line) => columnsOf(line) <= 80));
});
