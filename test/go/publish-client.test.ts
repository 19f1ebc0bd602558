// `granary publish TAG` makes the zip that go makes of the same tag with GOPROXY=direct: the same h1, or neither takes it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { main } from "#app/main.ts";
import { atEnd } from "../support/at-end.ts";
import { git, makeRepository } from "../support/git-repository.ts";
import { machineGo, newGoClient, skipLoudly } from "../support/go.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { publishCases } from "../support/publish-cases.ts";
import type { PublishCase } from "../support/publish-cases.ts";

type Download = { readonly Path: string; readonly Error?: string; readonly Sum?: string; readonly GoModSum?: string };
type Packed = { readonly h1?: string; readonly goModH1?: string; readonly goMod: string; readonly version: string };

const rootOf = (at: number): string => `corp.example/r${at}.git`;
const versionOf = ({ tag, version }: PublishCase): string => version ?? tag.slice(tag.lastIndexOf("/") + 1);

/** What `go mod download -json` prints: one object after the other. */
function objectsIn(stdout: string): Download[] {
  return JSON.parse(`[${stdout.replaceAll(/^\}\n\{/gm, "},{")}]`) as Download[];
}

async function publish(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const out = { stdout: "", stderr: "" };
  const code = await main(["publish", ...args], {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    isTerminal: false,
    onStop: () => () => undefined,
    verifyEntry: new URL("file:///nowhere"),
    machine: {
      env: { PATH: process.env["PATH"], GOENV: "off", ...env },
      platform: "linux",
      home: "/nowhere",
      readFile: (file) => readFile(file, "utf8"),
    },
  });
  return { code, ...out };
}

suite("publish TAG and go with GOPROXY=direct", { timeout: 300_000 }, () => {
  let folder = "";
  let why = "";
  const downloads = new Map<string, Download>();

  before(async () => {
    const tool = await machineGo();
    if (tool === undefined) return void (why = "no `go` on PATH");
    folder = await mkdtemp(join(tmpdir(), "granary-publish-test-"));
    try {
      await git(folder, ["version"]);
    } catch {
      return void (why = "no `git` on PATH");
    }
    for (const [at, { commits }] of publishCases.entries())
      await makeRepository(join(folder, `r${at}.git`), commits(rootOf(at)));
    const config = join(folder, "gitconfig");
    await writeFile(config, `[url "file://${folder}/"]\n\tinsteadOf = https://corp.example/\n`);
    const env = {
      GOPROXY: "direct",
      GOPRIVATE: "corp.example",
      GIT_CONFIG_GLOBAL: config,
      GIT_CONFIG_NOSYSTEM: "1",
      GOVCS: "*:git",
    };
    const go = await newGoClient(tool, env);
    try {
      const ids = publishCases.map((one, at) => `${rootOf(at)}${one.below ?? ""}@${versionOf(one)}`);
      const { stdout } = await go.run(["mod", "download", "-json", ...ids]);
      for (const one of objectsIn(stdout)) downloads.set(one.Path, one);
    } finally {
      await go.remove();
    }
  });

  after(async () => {
    if (folder !== "") await rm(folder, { recursive: true, force: true });
  });

  for (const [at, one] of publishCases.entries())
    test(one.what, async (t) => {
      if (why !== "") {
        skipLoudly(t, why);
        return;
      }
      const path = `${rootOf(at)}${one.below ?? ""}`;
      const theirs = downloads.get(path);
      const named = one.isNamed === true ? [`--module=${path}`] : [];
      const repo = join(folder, `r${at}.git`);
      const { code, stdout, stderr } = await publish([one.tag, `--repo=${repo}`, "--dry-run", "--json", ...named]);
      if (one.refused !== undefined) {
        assert.match(theirs?.Error ?? "", one.refused);
        assert.match(stdout.replaceAll("\\", "") + stderr, one.refused);
        assert.equal(code, stderr === "" ? 1 : 2);
        return;
      }
      assert.equal(theirs?.Error, undefined);
      assert.equal(code, 0, stdout + stderr);
      const ours = JSON.parse(stdout) as Packed;
      assert.equal(ours.version, versionOf(one));
      assert.equal(ours.h1, theirs?.Sum);
      assert.equal(ours.goMod, one.isConverted === true ? "converted" : one.isNamed === true ? "none" : "as-committed");
      assert.equal(ours.goModH1 === theirs?.GoModSum, one.isConverted !== true);
    });

  test("a real go builds what was published, with the hash it has of the repository itself", async (t) => {
    if (why !== "") {
      skipLoudly(t, why);
      return;
    }
    const granary = await startGranary({ upstream: "off", private: "corp.example" });
    atEnd(t, () => granary.stop());
    // Before anything is asked: a server looks for new tokens only now and then.
    const added = await runGranary(["token", "add", "--scope=write", `--store=${granary.store}`]);
    const [token = ""] = /grn_\w+?_[\w-]+/.exec(added.stdout) ?? [];
    const probe = await fetch(`${granary.url}/${rootOf(0)}/@v/v0.0.1.zip`, { method: "PUT", body: "x" });
    if (probe.status === 405) {
      skipLoudly(t, "this server takes no PUT");
      return;
    }
    const tool = await machineGo();
    assert.ok(tool !== undefined);
    const kept = [...publishCases.entries()].filter(([, { refused }]) => refused === undefined).slice(0, 12);
    for (const [at, { tag }] of kept) {
      const repo = `--repo=${join(folder, `r${at}.git`)}`;
      const sent = await publish([tag, repo, `--server=${granary.url}`, "--token=env:TOKEN"], { TOKEN: token });
      assert.match(sent.stdout, /^Published: /m, sent.stdout + sent.stderr);
    }
    const go = await newGoClient(tool, { GOPROXY: granary.url, GONOSUMDB: "corp.example" });
    atEnd(t, () => go.remove());
    const ids = kept.map(([at, one]) => `${rootOf(at)}${one.below ?? ""}@${versionOf(one)}`);
    for (const one of objectsIn((await go.ok(["mod", "download", "-json", ...ids])).stdout)) {
      const direct = downloads.get(one.Path);
      assert.deepEqual([one.Sum, one.GoModSum], [direct?.Sum, direct?.GoModSum], one.Path);
    }
  });

  test("a work tree, what is changed in it, and the settings of its owner count for nothing", async (t) => {
    if (why !== "") {
      skipLoudly(t, why);
      return;
    }
    const work = join(folder, "work");
    await mkdir(work);
    await git(work, ["clone", "--quiet", `file://${folder}/r14.git`, "."]);
    await writeFile(join(work, ".git/info/attributes"), "*.go filter=evil\n*.txt export-ignore\n");
    const marker = join(folder, "ran");
    for (const setting of [`filter.evil.smudge=touch ${marker}`, "core.autocrlf=true", "core.eol=crlf"])
      await git(work, ["config", ...setting.split(/=(.*)/s).slice(0, 2)]);
    await writeFile(join(work, "x.go"), "package changed\n");
    const { code, stdout, stderr } = await publish(["v1.0.0", `--repo=${work}`, "--dry-run", "--json"]);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as Packed).h1, downloads.get(rootOf(14))?.Sum);
    await assert.rejects(readFile(marker));
  });
});
