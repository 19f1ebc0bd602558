// `granary env apply` and its undo with a real go: what `go env -w` writes, what go says after it, and every byte back.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { envSetup } from "../../src/app/env-setup.ts";
import { main } from "../../src/app/main.ts";
import { atEnd } from "../support/at-end.ts";
import { capture, needsGo } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";

type Desk = {
  readonly home: string;
  readonly env: Record<string, string>;
  readonly file: string;
  readonly granary: (...argv: string[]) => Promise<{ code: number; stdout: string; stderr: string }>;
  readonly goEnv: (name: string) => Promise<string>;
};

/** A user with a home of their own, whose go is the machine's. */
async function deskFor(t: TestContext, tool: GoTool, more: Record<string, string> = {}): Promise<Desk> {
  const home = await mkdtemp(join(tmpdir(), "granary-env-"));
  atEnd(t, () => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  const env = {
    PATH: `${join(tool.goroot, "bin")}:/usr/bin:/bin`,
    HOME: home,
    GOTELEMETRY: "off",
    LANG: "en_US.UTF-8",
    ...more,
  };
  const granary: Desk["granary"] = async (...argv) => {
    const out = { code: -1, stdout: "", stderr: "" };
    out.code = await main(["env", ...argv], {
      stdout: (text) => (out.stdout += text),
      stderr: (text) => (out.stderr += text),
      isTerminal: false,
      onStop: () => () => undefined,
      verifyEntry: new URL("../../bin/granary.ts", import.meta.url),
      machine: { env, platform: process.platform, home, readFile: () => Promise.resolve(undefined) },
    });
    return out;
  };
  const goEnv = async (name: string): Promise<string> => {
    const { stdout } = await capture("go", ["env", name], { cwd: home, env, timeoutMs: 60_000 });
    return stdout.trim();
  };
  return { home, env, file: join(home, ".config/go/env"), granary, goEnv };
}

const onLinux = process.platform === "linux" ? {} : { skip: "paths of Linux" };

test("a profile is written by go itself, read again by it, and taken back to the byte", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { home, file, granary, goEnv } = await deskFor(t, tool);
  const before = "# mine\nGOFLAGS=-x\n odd line\nGOPROXY=https://old.example\n";
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, before);
  await chmod(file, 0o640);

  const { code, stdout, stderr } = await granary(
    "apply",
    "--profile",
    "cn-multi",
    "--private",
    "git.corp.example/*, x.example",
    "--yes",
  );
  assert.equal(code, 0, stdout + stderr);
  assert.equal(await goEnv("GOPROXY"), "https://goproxy.cn|https://mirrors.aliyun.com/goproxy/,direct");
  assert.equal(await goEnv("GOSUMDB"), "sum.golang.org");
  assert.equal(await goEnv("GOPRIVATE"), "git.corp.example/*,x.example");
  assert.equal(await goEnv("GOFLAGS"), "-x");
  assert.ok(stdout.includes("https://old.example") && stdout.includes("goproxy.cn|"), stdout);
  const state = join(home, ".local/state/granary");
  for (const name of await readdir(state, { recursive: true })) {
    const { mode } = await stat(join(state, name));
    assert.equal(mode & 0o077 & (name === "env-backups" ? 0 : 0o777), 0, `${name} is readable by others`);
  }

  const undone = await granary("apply", "--undo", "--yes");
  assert.equal(undone.code, 0, undone.stderr);
  assert.equal(await readFile(file, "utf8"), before);
  assert.equal((await stat(file)).mode & 0o777, 0o640);
  assert.equal((await granary("apply", "--undo", "--yes")).code, 1);
  assert.deepEqual(await readdir(join(state, "env-backups")), []);
});

test("two changes are undone one after the other, to no file at all", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { file, granary, goEnv } = await deskFor(t, tool);
  await granary("apply", "--profile", "cn", "--yes");
  await granary("apply", "--profile", "offline", "--yes");
  assert.deepEqual([await goEnv("GOPROXY"), await goEnv("GOTOOLCHAIN")], ["off", "local"]);
  await granary("apply", "--undo", "--yes");
  assert.equal(await goEnv("GOPROXY"), "https://goproxy.cn,direct");
  await granary("apply", "--undo", "--yes");
  await assert.rejects(readFile(file), { code: "ENOENT" });
});

test("an undo never overwrites what somebody wrote since", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { file, granary } = await deskFor(t, tool);
  await granary("apply", "--profile", "cn", "--yes");
  await writeFile(file, "GOPROXY=https://mine.example\n");
  const { code, stderr } = await granary("apply", "--undo", "--yes");
  assert.deepEqual([code, /GRANARY_ENV_NOT_WRITTEN/.test(stderr)], [3, true], stderr);
  assert.equal(await readFile(file, "utf8"), "GOPROXY=https://mine.example\n");
});

test("without --yes and without a terminal nothing is written; --dry-run writes nothing either", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { home, granary } = await deskFor(t, tool);
  assert.equal((await granary("apply", "--profile", "cn")).code, 2);
  assert.equal((await granary("apply", "--profile", "cn", "--dry-run")).code, 0);
  await assert.rejects(stat(join(home, ".local")), { code: "ENOENT" });
  await assert.rejects(stat(join(home, ".config/go/env")), { code: "ENOENT" });
});

test("a terminal's own GOPROXY hides what was written, and that is said", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { granary, file } = await deskFor(t, tool, { GOPROXY: "https://here.example" });
  const { code, stdout } = await granary("apply", "--profile", "cn", "--yes", "--json");
  const said = JSON.parse(stdout) as { now: Record<string, string>; findings: { code: string }[] };
  assert.equal(code, 1);
  assert.equal(said.now["GOPROXY"], "https://here.example");
  assert.deepEqual(
    said.findings.map((each) => each.code),
    ["SCOPE_SHADOWED"],
  );
  assert.match(await readFile(file, "utf8"), /^GOPROXY=https:\/\/goproxy\.cn,direct$/m);
});

test("GOENV=off, no HOME, no go: refused with the reason, and nothing is left behind", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  for (const [more, because] of [
    [{ GOENV: "off" }, /GOENV=off/],
    [{ HOME: "" }, /HOME is not set/],
    [{ PATH: "/nonexistent" }, /no go on PATH/],
  ] as const) {
    const { home, granary } = await deskFor(t, tool, more);
    const { code, stderr } = await granary("apply", "--profile", "cn", "--yes");
    assert.equal(code, 3, stderr);
    assert.match(stderr, because);
    // go's own telemetry folder may be there.
    const left = await readdir(home, { recursive: true });
    assert.deepEqual(
      left.filter((name) => /granary|go\/env$/.test(name)),
      [],
    );
  }
});

test("a project: .envrc and .go-version, what check says of them, a shell with them, and back", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { home, granary, env } = await deskFor(t, tool);
  const dir = join(home, "project");
  await mkdir(dir);
  await writeFile(join(dir, ".envrc"), "export EDITOR=vi\n");
  const [major, minor] = tool.version.split(".");
  const wish = `${major ?? ""}.${minor ?? ""}`;
  const init = await granary(
    "init",
    "--direnv",
    "--go",
    wish,
    "--proxy",
    "https://p.example|direct",
    "--dir",
    dir,
    "--yes",
  );
  assert.equal(init.code, 0, init.stderr);
  assert.equal(await readFile(join(dir, ".go-version"), "utf8"), `${wish}\n`);
  const envrc = await readFile(join(dir, ".envrc"), "utf8");
  assert.ok(envrc.startsWith("export EDITOR=vi\n") && envrc.includes("export GOPROXY='https://p.example|direct'"));

  const rows = async (): Promise<string[]> => {
    const { stdout } = await granary("check", dir, "--json");
    const said = JSON.parse(stdout) as { rows: { name: string; isMet: boolean }[] };
    return said.rows.map(({ name, isMet }) => `${name} ${isMet ? "is met" : "is not"}`);
  };
  assert.deepEqual(await rows(), ["go is met", "GOPROXY is not", "GOSUMDB is met"]);
  env["GOPROXY"] = "https://p.example|direct";
  assert.deepEqual(await rows(), ["go is met", "GOPROXY is met", "GOSUMDB is met"]);
  delete env["GOPROXY"];

  const setup = envSetup({ env, platform: "linux", home, readFile: () => Promise.resolve(undefined) });
  const plan = await setup.planShell({
    dir,
    shell: undefined,
    command: ["sh", "-c", 'test "$GOPROXY" = "https://p.example|direct" && exit 7'],
  });
  assert.equal(await setup.shell(plan), 7);

  await granary("apply", "--undo", "--scope", "project", "--dir", dir, "--yes");
  assert.equal(await readFile(join(dir, ".envrc"), "utf8"), "export EDITOR=vi\n");
  await assert.rejects(stat(join(dir, ".go-version")), { code: "ENOENT" });
});

test("the system's file: root writes it, others are shown it", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { home, env } = await deskFor(t, tool);
  const machine = { env, platform: "linux", home, readFile: () => Promise.resolve(undefined) };
  const request = {
    profile: "global",
    given: { proxy: undefined, private: undefined },
    scope: "system",
    dir: ".",
  } as const;
  const other = envSetup(machine, { root: home, isRoot: false });
  assert.equal((await other.planApply(request)).how.kind, "root");
  const root = envSetup(machine, { root: home, isRoot: true });
  const { rows, files } = await root.apply(await root.planApply(request));
  assert.deepEqual(files, [join(home, "etc/profile.d/granary-go.sh")]);
  assert.equal(rows.find(({ name }) => name === "GOPROXY")?.after, "https://proxy.golang.org,direct");
  const sourced = await capture("sh", ["-c", `. ${files[0]!}; echo "$GOPROXY"`], { cwd: home, env, timeoutMs: 60_000 });
  assert.equal(sourced.stdout.trim(), "https://proxy.golang.org,direct");
  const undo = await root.planUndo("system", ".");
  await root.undo(undo!);
  await assert.rejects(stat(files[0]!), { code: "ENOENT" });
});

test("scopes: everything a machine and a project set, found where it stands", onLinux, async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { home, env } = await deskFor(t, tool);
  const files: Readonly<Record<string, string>> = {
    ".bashrc": "export GOPROXY='https://rc.example'\n",
    ".config/go/env": "GOPROXY=https://user.example\n",
    ".config/fish/conf.d/go.fish": "set -gx GOPROXY https://fish.example\n",
    "etc/environment": "GOPROXY=https://etc.example\n",
    "etc/profile.d/go.sh": "export GOPROXY=https://login.example\n",
    "etc/systemd/system/app.service": "[Service]\nEnvironment=GOPROXY=https://unit.example\n",
    "usr/lib/systemd/system/app.service": "[Service]\nUser=never-read\n",
    "etc/systemd/system/app.service.d/10.conf": "[Service]\nEnvironmentFile=/etc/app.env\n",
    "etc/app.env": "GOSUMDB=sum.example\n",
    "p/.gitlab-ci.yml": "variables: {GOPROXY: https://gitlab.example}\n",
    "p/.github/workflows/a.yml": "env: {GOPROXY: https://github.example}\n",
    "p/Jenkinsfile": "pipeline { environment {\nGOPROXY = 'https://jenkins.example'\n} }\n",
    "p/Dockerfile": "FROM x\nENV GOPROXY=https://docker.example\n",
    "p/compose.yaml": "services: {a: {environment: {GOPROXY: https://compose.example}}}\n",
    "p/.envrc": "export GOPROXY=https://direnv.example\n",
    "p/.env": "GOPROXY=https://dotenv.example\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), text);
  }
  const machine = {
    env: { ...env, GOPROXY: "https://here.example" },
    platform: "linux",
    home,
    readFile: () => Promise.resolve(undefined),
  };
  const view = await envSetup(machine, { root: home }).scopes({ dir: join(home, "p"), units: ["app"] });
  const hosts = view.rows
    .find(({ name }) => name === "GOPROXY")!
    .values.map(({ value, places }) => `${places[0]!.scope} ${/\/\/(\w+)/.exec(value)?.[1] ?? ""}`);
  assert.deepEqual(hosts, [
    "terminal here",
    "rc rc",
    "rc fish",
    "login login",
    "user user",
    "system etc",
    "goroot proxy",
    "unit unit",
    "ci gitlab",
    "ci github",
    "ci jenkins",
    "image docker",
    "image compose",
    "project direnv",
    "project dotenv",
  ]);
  const found = new Set(view.findings.map(({ code }) => code));
  assert.deepEqual([...found], ["SCOPE_UNIT_NO_HOME", "SCOPE_SHADOWED", "SCOPE_OTHER_ELSEWHERE"]);
  await assert.rejects(envSetup(machine, { root: home }).scopes({ dir: home, units: ["none"] }), {
    code: "GRANARY_INPUT_UNREADABLE",
  });
});
