// What people and programs read of an import and an export, with services that are played.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GranaryError } from "#services/errors/granary-error.ts";
import { langs } from "#services/errors/sentences.ts";
import { runProgram } from "./program.ts";
import type { CliServices, ExportView, ImportView, MoveView } from "./services.ts";

async function run(
  argv: readonly string[],
  services: Partial<CliServices>,
  { lang = "en", isTerminal = false }: { readonly lang?: "en" | "zh-CN"; readonly isTerminal?: boolean } = {},
) {
  const out = { code: -1, stdout: "", stderr: "" };
  const stdout = (text: string) => void (out.stdout += text);
  const stderr = (text: string) => void (out.stderr += text);
  const io = { stdout, stderr, lang, isTerminal, isUtf8: true, shell: "bash" as const };
  out.code = await runProgram(argv, { io, services: services as CliServices, settingFlags: [], version: "1.2.3" });
  return out;
}

const imported: ImportView = {
  ...{
    dir: "/home/dev/go/pkg/mod",
    layout: "gomodcache",
    store: "/srv/granary",
    isDryRun: false,
    wasInterrupted: false,
  },
  ...{ found: 1_204, imported: 1_000, kept: 204, unproven: 0, rejected: 0, bytes: 31_800_000, ms: 2_400 },
  unprovenList: [],
  rejectedList: [],
};
const cutOff = new GranaryError("GRANARY_SUMDB_UNREACHABLE", {
  what: "a.example/x@v1.0.0",
  database: "sum.example",
  tried: [],
});
const wanting: ImportView = {
  ...imported,
  ...{ unproven: 1, rejected: 3 },
  unprovenList: [{ what: "a.example/x@v1.0.0", why: "failed", error: cutOff }],
  rejectedList: [
    { what: "a.example/\u001b[31mREADME", why: "foreign", reason: "" },
    { what: "a.example/y@v1.0.0", why: "other-zip" },
  ],
};

suite("store import", () => {
  test("counts on stdout, exit 0 when all is kept", async () => {
    const seen: unknown[] = [];
    const out = await run(["store", "import", "/cache", "--layout", "athens", "--dry-run"], {
      storeImport: (request) => (seen.push(request), Promise.resolve(imported)),
    });
    assert.equal(out.code, 0);
    assert.deepEqual(seen, [{ dir: "/cache", layout: "athens", isDryRun: true }]);
    for (const part of ["1,204", "1,000", "31.8 MB", "2.4 s", "/srv/granary"])
      assert.ok(out.stdout.includes(part), part);
    assert.equal(out.stderr, "");
  });

  for (const lang of langs)
    test(`names all that is not kept with its reason, exit 1 (${lang})`, async () => {
      const out = await run(["store", "import", "/cache"], { storeImport: () => Promise.resolve(wanting) }, { lang });
      assert.equal(out.code, 1);
      for (const part of ["a.example/x@v1.0.0", "GRANARY_SUMDB_UNREACHABLE", "a.example/y@v1.0.0", "zip"])
        assert.ok(out.stdout.includes(part), part);
      assert.ok(!out.stdout.includes("\u001b"));
      assert.match(out.stdout, lang === "en" ? /and 1 more/ : /另有 1 个/);
    });

  test("--json has codes and reasons, and nothing else is on stdout", async () => {
    const { stdout } = await run(["store", "import", "/cache", "--json"], {
      storeImport: () => Promise.resolve(wanting),
    });
    const data = JSON.parse(stdout) as { schema: string; unprovenList: { code: string; reason: string }[] };
    assert.equal(data.schema, "granary.store.import/1");
    assert.equal(data.unprovenList[0]?.code, "GRANARY_SUMDB_UNREACHABLE");
    assert.match(data.unprovenList[0].reason, /cannot be verified now/);
  });

  test("shows progress on a terminal only, says once how to stop, and ends as an interrupted command does", async () => {
    const services: Partial<CliServices> = {
      storeImport: (_, __, progress) => {
        for (const done of [1, 2]) progress({ done, total: 10, bytes: 5_000_000, rejected: 1, ms: 1_000 });
        return Promise.resolve({ ...imported, wasInterrupted: true });
      },
    };
    const shown = await run(["store", "import", "/cache"], services, { isTerminal: true });
    assert.equal(shown.code, 130);
    assert.equal(shown.stderr.split("Ctrl-C").length, 2);
    assert.ok(shown.stderr.includes("2 of 10 versions, 5 MB, 1 rejected, 4 s left"));
    assert.equal((await run(["store", "import", "/cache"], services)).stderr, "");
  });

  test("a layout that does not exist is bad usage", async () => {
    const out = await run(["store", "import", "/cache", "--layout", "nexus"], {});
    assert.equal(out.code, 2);
    assert.match(out.stderr, /gomodcache \| goproxy \| athens \| file/);
  });
});

suite("store export", () => {
  const exported: ExportView = {
    ...{ dir: "/media/stick", store: "/srv/granary", url: "file:///media/stick" },
    ...{ versions: 12, zips: 10, written: 34, same: 2, bytes: 9_000_000, wasInterrupted: false },
    leftOut: [],
    missing: [],
  };

  test("says what lies there and how to use it", async () => {
    const seen: unknown[] = [];
    const argv = ["store", "export", "/media/stick", "a.example/x@v1.0.0", "b.example/*", "--from", "go.sum"];
    const out = await run(argv, { storeExport: (request) => (seen.push(request), Promise.resolve(exported)) });
    assert.equal(out.code, 0);
    assert.deepEqual(seen, [{ dir: "/media/stick", what: ["a.example/x@v1.0.0", "b.example/*"], from: ["go.sum"] }]);
    assert.ok(out.stdout.includes("GOPROXY=file:///media/stick") && out.stdout.includes("9 MB"));
  });

  for (const lang of langs)
    test(`names what was left out and what is not kept, exit 1 (${lang})`, async () => {
      const view: ExportView = {
        ...exported,
        leftOut: [{ what: "a.example/x@v1.0.0", why: "damaged", reason: "expected ab, found cd" }],
        missing: ["a.example/y@v1.0.0"],
      };
      const out = await run(
        ["store", "export", "/media/stick"],
        { storeExport: () => Promise.resolve(view) },
        { lang },
      );
      assert.equal(out.code, 1);
      for (const part of ["a.example/x@v1.0.0", "expected ab, found cd", "a.example/y@v1.0.0"])
        assert.ok(out.stdout.includes(part), part);
    });
});

suite("store migrate --to", () => {
  const moved: MoveView = {
    ...{ from: "/srv/granary", to: "s3://builds", versions: 40, ms: 10_300, more: 0, found: [], logs: [] },
    ...{ isDry: false, isHandedOver: false, wasInterrupted: false },
    counts: { copiedFiles: 244, copiedBytes: 79_200, same: 3, verifiedFiles: 244, verifiedBytes: 79_200 },
  };
  const move = async (argv: readonly string[], view = moved, lang: "en" | "zh-CN" = "en") => {
    const seen: unknown[] = [];
    const storeMove: CliServices["storeMove"] = (request) => (seen.push(request), Promise.resolve(view));
    return { ...(await run(["store", "migrate", ...argv], { storeMove }, { lang })), seen };
  };

  test("what is asked for, and what was done", async () => {
    const usual = { to: "s3", verify: "written", isDry: false, bytesPerSecond: undefined, jobs: 8, handsOver: false };
    const out = await move(["--to", "s3"]);
    assert.deepEqual([out.code, out.seen], [0, [usual]]);
    for (const part of ["/srv/granary, 40 versions", "s3://builds", "244 files", "79.2 kB", "10.3 s"])
      assert.ok(out.stdout.includes(part), part);
    const { seen } = await move(["--to", "disk", "--no-verify", "--rate", "5MB", "--jobs", "2", "--dry-run"]);
    assert.deepEqual(seen, [{ ...usual, to: "disk", verify: "none", isDry: true, bytesPerSecond: 5_000_000, jobs: 2 }]);
    assert.deepEqual((await move(["--to", "s3", "--deep", "--hand-over"])).seen, [
      { ...usual, verify: "all", handsOver: true },
    ]);
  });

  for (const lang of langs)
    test(`findings and logs that were not copied: named, exit 1 (${lang})`, async () => {
      const view: MoveView = {
        ...moved,
        found: [{ what: "modules/a.example/x/@v/v1.0.0", is: "conflict", problem: ".zip: source ab, target cd" }],
        logs: [{ name: "sum.corp.example", verdict: { is: "keyless" } }],
      };
      const out = await move(["--to", "s3"], view, lang);
      assert.equal(out.code, 1);
      for (const part of ["a.example/x", "source ab, target cd", "sum.corp.example", "--sumlog-key"])
        assert.ok(out.stdout.includes(part), part);
      assert.equal((await move(["--to", "s3"], { ...moved, wasInterrupted: true }, lang)).code, 130);
    });

  test("what makes no sense is refused", async () => {
    for (const argv of [
      ["--to", "tape"],
      ["--to", "s3", "--jobs", "65"],
      ["--to", "s3", "--rate", "0"],
      ["--to", "disk", "--hand-over"],
    ])
      assert.equal((await move(argv)).code, 2, argv.join(" "));
  });
});
