import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runHere } from "../../../test/support/run-here.ts";
import { columnsOf, terminalColumns } from "./text.ts";

type Json = Readonly<Record<string, unknown>>;

async function json(argv: readonly string[]): Promise<Json> {
  return JSON.parse((await runHere([...argv, "--json"])).stdout) as Json;
}

suite("granary env", () => {
  test("explain works without a go, and says so", async () => {
    const { code, stdout } = await runHere(["env", "explain", "github.com/acme/auth@v1.2.0"]);
    assert.equal(code, 0);
    assert.match(stdout, /no go found here/);
    assert.match(stdout, /direct: the module's repository/);
    const shown = await json(["env", "explain", "github.com/acme/auth@v1.2.0"]);
    assert.deepEqual([shown["schema"], shown["goFrom"], shown["private"]], ["granary.env-explain/1", "assumed", false]);
  });

  test("its lines fit a terminal, in both languages", async () => {
    for (const lang of ["en", "zh-CN"])
      for (const argv of [
        ["env", "explain", "github.com/acme/auth"],
        ["env", "explain", "github.com/acme/auth@v1.2.0", "--command", "get"],
        ["env", "provenance"],
        ["env", "lint", "GOPROXY=https://goproxy.cn,Direct", "GOPRIVATE=a, b"],
        ["env", "simulate", "--chain", "https://a.example|direct", "--responses", "unreachable,timeout"],
      ]) {
        const { stdout } = await runHere([...argv, "--lang", lang]);
        const wide = stdout.split("\n").filter((line) => columnsOf(line) > terminalColumns);
        assert.deepEqual(wide, [], argv.join(" "));
      }
  });

  test("lint ends with 1 for what is wrong and 0 for what is good to know", async () => {
    assert.equal((await runHere(["env", "lint", "GOPROXY=https://goproxy.cn,direct"])).code, 0);
    assert.equal((await runHere(["env", "lint", "GOPROXY=https://goproxy.cn , direct"])).code, 0);
    assert.equal((await runHere(["env", "lint", "--strict", "GOPROXY=https://goproxy.cn , direct"])).code, 1);
    const { code, stdout } = await runHere(["env", "lint", "GOPROXY=https://a.example;direct"]);
    assert.equal(code, 1);
    assert.match(stdout, /go env -w 'GOPROXY=https:\/\/a\.example,direct'/);
    assert.match(stdout, /1 wrong/);
  });

  test("S3-10: a comma does not pass a 502 by, a pipe does", async () => {
    const at = async (chain: string, responses: string): Promise<unknown> =>
      (await json(["env", "simulate", "--chain", chain, "--responses", responses]))["outcome"];
    assert.equal(await at("https://a.example,https://b.example,direct", "502,200"), "error");
    assert.equal(await at("https://a.example|https://b.example,direct", "502,200"), "found");
    assert.equal(await at("https://a.example,https://b.example,direct", "404,200"), "found");
    assert.equal(await at("https://a.example|https://b.example,direct", "timeout,200"), "hangs");
  });

  test("simulate names every request of a download", async () => {
    const argv = ["env", "simulate", "example.com/M@v1.0.0", "--chain", "https://a.example,https://b.example"];
    const { requests, ending } = await json([...argv, "--responses", "404,200"]);
    assert.equal(ending, "found");
    const paths = (requests as { base: string; path: string }[]).map(({ base, path }) => base + path);
    assert.deepEqual(paths.slice(0, 4), [
      "https://a.example/example.com/!m/@v/v1.0.0.info",
      "https://b.example/example.com/!m/@v/v1.0.0.info",
      "https://a.example/example.com/!m/@v/v1.0.0.mod",
      "https://b.example/example.com/!m/@v/v1.0.0.mod",
    ]);
    assert.equal(paths.length, 9);
  });

  test("what is no version, no word, no module is bad usage", async () => {
    for (const argv of [
      ["env", "explain", "--go", "1.9"],
      ["env", "explain", "--command", "fetch"],
      ["env", "explain", "github.com/../x"],
      ["env", "lint", "GOPROXY"],
      ["env", "lint", "--class", "test"],
      ["env", "simulate", "--chain", "direct", "--responses", "999"],
      ["env", "simulate", "example.com/m"],
    ])
      assert.equal((await runHere(argv)).code, 2, argv.join(" "));
  });

  test("no password is shown", async () => {
    const value = "GOPROXY=https://me:hunter2@a.example,Direct";
    for (const argv of [
      ["env", "lint", value],
      ["env", "simulate", "--chain", value.slice(8), "--responses", "200"],
      ["env", "simulate", "--chain", "https://me:hunter2@a.example", "--responses", "200"],
      ["env", "simulate", "example.com/m@v1.0.0", "--chain", "https://me:hunter2@a.example"],
    ])
      for (const more of [[], ["--json"]]) {
        const { stdout, stderr } = await runHere([...argv, ...more]);
        assert.doesNotMatch(stdout + stderr, /hunter2/, argv.join(" "));
        assert.notEqual(stdout + stderr, "");
      }
  });
});
