import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { main } from "./main.ts";

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const out = { code: -1, stdout: "", stderr: "" };
  out.code = await main(argv, {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    isTerminal: false,
    onStop: () => () => undefined,
    verifyEntry: new URL(import.meta.url),
    machine: { env, platform: "linux", home: "/home/dev", readFile: () => Promise.resolve(undefined) },
  });
  return out;
}

suite("the program", () => {
  test("config print --origin --json shows each value with its origin and no secret", async () => {
    const env = { GRANARY_MODE: "go", GRANARY_UPSTREAM: "https://user:secret@a.example" };
    const { code, stdout } = await run(["config", "print", "--json", "--listen", "127.0.0.1:0"], env);
    assert.equal(code, 0);
    const { settings } = JSON.parse(stdout) as { settings: { key: string; value: string; origin: string }[] };
    const origins = new Map(settings.map(({ key, value, origin }) => [key, `${value} ${origin}`]));
    assert.equal(origins.get("listen"), "127.0.0.1:0 flag --listen");
    assert.equal(origins.get("mode"), "go env GRANARY_MODE");
    assert.equal(origins.get("upstream"), "https://xxxxx@a.example env GRANARY_UPSTREAM");
    assert.equal(origins.get("cache.enabled"), "on default");
  });

  test("a bad value stops serve before anything is opened, with exit 2", async () => {
    const { code, stdout, stderr } = await run(["serve", "--listen", "nowhere"]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.ok(stderr.includes("--listen") && stderr.includes("GRANARY_BAD_FLAG"));
  });

  test("the language is the flag's, else the variable's, else the locale's", async () => {
    const explained = async (argv: readonly string[], env: Readonly<Record<string, string>>): Promise<boolean> =>
      /\p{Script=Han}/u.test((await run(["explain", "GRANARY_OFFLINE", ...argv], env)).stdout);
    assert.equal(await explained([], { LANG: "zh_CN.UTF-8" }), true);
    assert.equal(await explained([], { LANG: "zh_CN.UTF-8", GRANARY_LANG: "en" }), false);
    assert.equal(await explained(["--lang=zh-CN"], { GRANARY_LANG: "en" }), true);
    assert.equal(await explained(["--lang", "en"], { LANG: "zh_CN.UTF-8" }), false);
  });
});
