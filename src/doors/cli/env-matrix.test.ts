// What documents claim, as the command line prints it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { langs } from "#services/errors/sentences.ts";
import { myths } from "#services/myths/catalogue.ts";
import { runProgram } from "./program.ts";
import type { CliServices } from "./services.ts";
import { columnsOf, terminalColumns } from "./text.ts";

type Io = { readonly lang?: "en" | "zh-CN"; readonly isUtf8?: boolean };

async function run(argv: readonly string[], { lang = "en", isUtf8 = true }: Io = {}) {
  const out = { code: -1, stdout: "", stderr: "" };
  out.code = await runProgram(argv, {
    io: {
      stdout: (text) => (out.stdout += text),
      stderr: (text) => (out.stderr += text),
      lang,
      isTerminal: false,
      isUtf8,
      shell: "bash",
    },
    services: { myths: () => Promise.resolve(myths) } as Partial<CliServices> as CliServices,
    settingFlags: [],
    version: "1.2.3",
  });
  return out;
}

test("the whole matrix fits a terminal, in both languages", async () => {
  for (const lang of langs) {
    const { code, stdout } = await run(["env", "matrix"], { lang });
    assert.equal(code, 0);
    for (const line of stdout.split("\n")) assert.ok(columnsOf(line) <= terminalColumns, line);
    for (const { code: myth } of myths) assert.ok(stdout.includes(` ${myth}\n`), myth);
  }
});

test("claim and truth stand side by side, and the last lines count and lead on", async () => {
  const { stdout } = await run(["env", "matrix", "--about", "goproxy", "--about", "fallback", "--verdict", "false"]);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, 5), [
    "  what is claimed                     what is so",
    "",
    "✗ MYTH_FALLBACK_ON_ANY_ERROR",
    "  With a comma list go asks the next  After a comma go goes on only after 404",
    "  proxy after 5xx, 403 or a timeout,  and 410; everything else ends the list",
  ]);
  assert.match(stdout, /^(\d+) claims: \1 false, 0 partly true, 0 true, 0 that go cannot tell\.$/m);
  assert.match(stdout, /granary explain MYTH_…\n$/);
  assert.doesNotMatch(stdout, /MYTH_HEALTHZ|MYTH_CHAIN_SINCE_113/);
});

test("--json has every field of the text, and the row it comes from", async () => {
  const { stdout } = await run(["env", "matrix", "--about", "dns", "--json"]);
  const report = JSON.parse(stdout) as { schema: string; counts: object; myths: Record<string, unknown>[] };
  assert.equal(report.schema, "granary.env.matrix/1");
  assert.deepEqual(report.counts, { false: 1, partly: 0, true: 0, unverifiable: 0 });
  const [first = {}] = report.myths;
  assert.deepEqual(
    [first["code"], first["row"], first["verdict"], first["about"], first["page"]],
    ["MYTH_NETDNS_SHOWS_DIALS", "S2-22", "false", ["dns", "GODEBUG"], "docs/myths.md#myth_netdns_shows_dials"],
  );
  assert.ok(typeof first["claim"] === "string" && typeof first["truth"] === "string");
});

test("a topic or verdict that is none is a usage error that names the nearest, or some", async () => {
  const typo = await run(["env", "matrix", "--about", "falback"]);
  assert.deepEqual([typo.code, typo.stdout], [2, ""]);
  assert.match(typo.stderr, /fallback\n.*GRANARY_BAD_FLAG/);
  const none = await run(["env", "matrix", "--about", "weather"]);
  assert.match(none.stderr, /GOPROXY, fallback, GOSUMDB, sumdb, … \(docs\/myths\.md\)/);
  assert.match((await run(["env", "matrix", "--verdict", "maybe"])).stderr, /false, partly, true, unverifiable/);
  const empty = await run(["env", "matrix", "--about", "dns", "--verdict", "true"]);
  assert.deepEqual([empty.code, empty.stdout], [0, "No claim fits.\n"]);
});

test("explain tells one in full, in both languages, and every page it names is there", async () => {
  const page = readFileSync("docs/myths.md", "utf8");
  for (const lang of langs)
    for (const { code, myth } of myths) {
      const { stdout } = await run(["explain", code], { lang });
      for (const line of stdout.split("\n")) assert.ok(columnsOf(line) <= terminalColumns, line);
      const flat = stdout.replaceAll(/\s+/g, "");
      for (const text of Object.values(myth[lang])) assert.ok(flat.includes(text.replaceAll(/\s+/g, "")), code);
      assert.ok(page.includes(`### ${code}\n`), code);
    }
  const ascii = await run(["explain", "myth_off_is_direct"], { isUtf8: false });
  assert.match(ascii.stdout, /^MYTH_OFF_IS_DIRECT\nFAIL false\n/);
  const json = JSON.parse((await run(["explain", "MYTH_GOCENTER", "--json"])).stdout) as Record<string, unknown>;
  assert.deepEqual(
    [json["schema"], json["verdict"], typeof json["probe"]],
    ["granary.explain/1", "unverifiable", "string"],
  );
  const unknown = await run(["explain", "MYTH_NO_SUCH"]);
  assert.deepEqual([unknown.code, unknown.stderr.includes("GRANARY_NO_SUCH_ID")], [2, true]);
});
