// `granary publish` against a server that is played: what goes over the wire, what is sent again, and what never is.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { main } from "#app/main.ts";
import type { PublishView } from "#doors/cli/services.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { atEnd } from "../support/at-end.ts";
import { makeRepository } from "../support/git-repository.ts";
import { skipLoudly } from "../support/go.ts";
import { runGranary, startGranary } from "../support/granary.ts";

type Upload = {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly method: string | undefined;
  readonly body: Buffer;
};
type Answer = (upload: Upload, response: ServerResponse) => void;
type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

const id = { path: "corp.example/team/tool", version: "v1.2.3" };
const moduleFiles = { "go.mod": `module ${id.path}\n\ngo 1.22\n`, "tool.go": "package tool\n" };

/** What a server answers that keeps the zip. */
const keeps: Answer = ({ body }, response) => {
  const { h1 } = checkModuleZip(bytesSource(body), id);
  response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ ...id, h1, isNew: true }));
};
const busy: Answer = (_, response) => void response.writeHead(503, { "retry-after": "0" }).end("GRANARY_DRAINING: x\n");
const breaksOff: Answer = (_, response) => void response.destroy();

async function startServer(t: TestContext, ...answers: readonly Answer[]): Promise<{ url: string; uploads: Upload[] }> {
  const uploads: Upload[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { url = "", headers, method } = request;
      const upload = { url, headers, method, body: Buffer.concat(pieces) };
      (answers[uploads.push(upload) - 1] ?? keeps)(upload, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  atEnd(t, () => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, uploads };
}

async function makeFolder(t: TestContext, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-publish-folder-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

async function publish(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onStop: (stop: () => void) => void = () => undefined,
): Promise<Ran> {
  const out = { stdout: "", stderr: "" };
  const code = await main(["publish", ...args], {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    isTerminal: false,
    onStop: (stop) => {
      onStop(stop);
      return () => undefined;
    },
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

const viewOf = ({ stdout }: Ran): PublishView => JSON.parse(stdout) as PublishView;
const leftovers = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => /^granary-publish-\w{6}$/.test(name));

test("a folder is sent as one PUT with its token and key, and nothing stays behind", async (t) => {
  const { url, uploads } = await startServer(t);
  const folder = await makeFolder(t, moduleFiles);
  const before = await leftovers();
  const ran = await publish([folder, "--version=v1.2.3", `--server=${url}`, "--token=env:TOKEN", "--json"], {
    TOKEN: "grn_write_secret",
  });
  assert.equal(ran.code, 0, ran.stderr);
  const [upload] = uploads;
  assert.equal(uploads.length, 1);
  assert.deepEqual([upload?.method, upload?.url], ["PUT", "/corp.example/team/tool/@v/v1.2.3.zip"]);
  assert.equal(upload?.headers.authorization, "Bearer grn_write_secret");
  assert.equal(upload.headers["content-length"], String(upload.body.length));
  assert.equal(upload.headers["transfer-encoding"], undefined);
  assert.match(String(upload.headers["idempotency-key"]), /^[0-9a-f]{64}$/);
  const view = viewOf(ran);
  assert.deepEqual([view.sent?.outcome, view.sent?.tries], ["new", 1]);
  assert.equal(view.sha256, createHash("sha256").update(upload.body).digest("hex"));
  assert.equal(view.h1, checkModuleZip(bytesSource(upload.body), id).h1);
  assert.doesNotMatch(ran.stdout + ran.stderr, /grn_write_secret/);
  assert.deepEqual(await leftovers(), before);
});

test("what broke off or was busy is sent again, the same request with the same bytes", async (t) => {
  const { url, uploads } = await startServer(t, breaksOff, busy);
  const folder = await makeFolder(t, { ...moduleFiles, "data.bin": randomBytes(3_000_000) });
  const ran = await publish([folder, "--version=v1.2.3", `--server=${url}`, "--json"]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(viewOf(ran).sent?.tries, 3);
  assert.equal(new Set(uploads.map(({ headers }) => headers["idempotency-key"])).size, 1);
  assert.equal(new Set(uploads.map(({ body }) => createHash("sha256").update(body).digest("hex"))).size, 1);
});

for (const [status, code, pattern] of [
  [409, 1, /Not published: .*\n {2}GRANARY_PUBLISH_CONFLICT: there is other/],
  [422, 1, /Not published: .*refuses/],
  [401, 3, /GRANARY_SERVER_REFUSED/],
  [403, 3, /GRANARY_SERVER_REFUSED/],
  [507, 3, /GRANARY_SERVER_REFUSED/],
  [302, 3, /GRANARY_SERVER_REFUSED/],
] as const)
  test(`an answer ${status} is no reason to send again, and the exit code is ${code}`, async (t) => {
    const answer: Answer = (_, response) =>
      void response
        .writeHead(status, { location: "http://127.0.0.1:1/", "content-type": "text/plain" })
        .end("GRANARY_PUBLISH_CONFLICT: there is other\n");
    const { url, uploads } = await startServer(t, answer);
    const folder = await makeFolder(t, moduleFiles);
    const ran = await publish([folder, "--version=v1.2.3", `--server=${url}`]);
    assert.equal(ran.code, code, ran.stdout + ran.stderr);
    assert.match(ran.stdout + ran.stderr, pattern);
    assert.equal(uploads.length, 1);
  });

test("a folder: what version control keeps, other modules and links stay here; the rest goes", async (t) => {
  const { url, uploads } = await startServer(t);
  const folder = await makeFolder(t, {
    ...moduleFiles,
    ".git/config": "[secret]\n",
    "sub/.hg/x": "x\n",
    "nested/go.mod": "module corp.example/nested\n",
    "nested/deep/x.go": "package x\n",
    "vendor/y/y.go": "package y\n",
    "worktree/.git": "gitdir: /home/me\n",
    ".env.example": "A=1\n",
  });
  await symlink("/etc/passwd", join(folder, "passwd"));
  await symlink("tool.go", join(folder, "link.go"));
  const ran = await publish([folder, "--version=v1.2.3", `--server=${url}`, "--json"]);
  assert.equal(ran.code, 0, ran.stderr);
  const { files, omitted } = viewOf(ran);
  assert.deepEqual(
    files.map(({ path }) => path),
    [".env.example", "go.mod", "tool.go"],
  );
  assert.deepEqual(omitted.map(({ path, reason }) => `${path} ${reason}`).sort(), [
    ".git repository",
    "link.go symlink",
    "nested nested-module",
    "passwd symlink",
    "sub/.hg repository",
    "vendor/y/y.go vendored",
    "worktree/.git repository",
  ]);
  assert.ok(checkModuleZip(bytesSource(uploads[0]?.body ?? Buffer.of()), id).valid);
});

test("Ctrl-C ends it while it packs, while it sends, and while it waits; nothing stays behind", async (t) => {
  const silent: Answer = () => undefined;
  const folder = await makeFolder(t, moduleFiles);
  const before = await leftovers();
  for (const [answer, when] of [
    [keeps, "at once"],
    [silent, "sent"],
    [busy, "sent"],
  ] as const) {
    let stop: () => void = () => undefined;
    const stopping: Answer = (upload, response) => {
      answer(upload, response);
      if (when === "sent") stop();
    };
    const { url, uploads } = await startServer(t, ...Array.from({ length: 5 }, () => stopping));
    const ran = await publish([folder, "--version=v1.2.3", `--server=${url}`], {}, (given) => {
      stop = given;
      if (when === "at once") stop();
    });
    assert.deepEqual([ran.code, /GRANARY_STOPPED/.test(ran.stderr)], [3, true], ran.stdout + ran.stderr);
    assert.equal(uploads.length, when === "sent" ? 1 : 0);
  }
  assert.deepEqual(await leftovers(), before);
});

const bad: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[], number, RegExp])[] = [
  ["names equal but for case", { ...moduleFiles, "Tool.go": "package tool\n" }, ["--version=v1.2.3"], 1, /collision/],
  ["no go.mod", { "x.go": "package x\n" }, ["--version=v1.2.3"], 2, /missing go\.mod/],
  ["a version of another major", moduleFiles, ["--version=v2.0.0"], 2, /should be v0 or v1/],
  ["a version that is none", moduleFiles, ["--version=1.2"], 2, /non-semver/],
  ["another module", moduleFiles, ["--version=v1.2.3", "--module=corp.example/other"], 2, /go\.mod says module/],
  ["a module path that is none", moduleFiles, ["--version=v1.2.3", "--module=tool"], 2, /missing dot/],
  ["a token in the clear", moduleFiles, ["--version=v1.2.3", "--token=grn_write_secret"], 2, /file:\/path/],
];

for (const [what, files, args, code, pattern] of bad)
  test(`nothing is sent of ${what}`, async (t) => {
    const { url, uploads } = await startServer(t);
    const folder = await makeFolder(t, files);
    const ran = await publish([folder, `--server=${url}`, ...args]);
    assert.match(ran.stdout + ran.stderr, pattern);
    assert.deepEqual([ran.code, uploads.length], [code, 0]);
    assert.doesNotMatch(ran.stdout + ran.stderr, /grn_write_secret/);
  });

test("a dry run sends nothing, and says which request it would be", async (t) => {
  const { url, uploads } = await startServer(t);
  const folder = await makeFolder(t, moduleFiles);
  const dry = viewOf(await publish([folder, "--version=v1.2.3", `--server=${url}`, "--dry-run", "--json"]));
  assert.deepEqual([dry.sent, dry.isDryRun, uploads.length], [undefined, true, 0]);
  const sent = viewOf(await publish([folder, "--version=v1.2.3", `--server=${url}`, "--json"]));
  assert.deepEqual([dry.h1, dry.goModH1, dry.sha256], [sent.h1, sent.goModH1, sent.sha256]);
});

const hostile = [
  ["--upload-pack=touch x/v1.0.0", /GRANARY_(UNKNOWN_FLAG|BAD_USAGE)/],
  ["-v1.0.0", /GRANARY_(UNKNOWN_FLAG|BAD_USAGE)/],
  ["../v1.0.0", /GRANARY_NOT_PUBLISHABLE/],
  ["a^{tree}/v1.0.0", /GRANARY_NOT_PUBLISHABLE/],
  ["$(touch x)/v1.0.0", /GRANARY_NOT_PUBLISHABLE/],
  ["v1.0.0~1", /GRANARY_NOT_PUBLISHABLE/],
  ["v1.0.0^{commit}", /GRANARY_NOT_PUBLISHABLE/],
] as const;

for (const [tag, pattern] of hostile)
  test(`the tag ${tag} names nothing`, async (t) => {
    const folder = await makeFolder(t, {});
    try {
      await makeRepository(folder, [{ files: moduleFiles, tags: ["v1.0.0"] }]);
    } catch {
      skipLoudly(t, "no `git` on PATH");
      return;
    }
    const before = await readdir(folder);
    const ran = await publish([tag, `--repo=${folder}`, "--server=http://127.0.0.1:1", "--dry-run"]);
    assert.equal(ran.code, 2, ran.stdout);
    assert.match(ran.stderr, pattern);
    assert.deepEqual(await readdir(folder), before);
  });

test("without git, or outside a repository, it says so", async (t) => {
  const folder = await makeFolder(t, moduleFiles);
  const without = await publish(["v1.0.0", `--repo=${folder}`], { PATH: folder });
  assert.deepEqual([without.code, /no `git` on PATH/.test(without.stderr)], [3, true], without.stderr);
  const outside = await publish(["v1.0.0", `--repo=${folder}`]);
  assert.deepEqual([outside.code, /GRANARY_GIT_FAILED/.test(outside.stderr)], [3, true], outside.stderr);
});

test("a real server keeps what is published: new, the same, other content, a public name, no token", async (t) => {
  const granary = await startGranary({ upstream: "off", private: "corp.example/*" });
  atEnd(t, () => granary.stop());
  // Before anything is asked: a server looks for new tokens only now and then.
  const { stdout } = await runGranary(["token", "add", "--scope=write", `--store=${granary.store}`]);
  const [token = ""] = /grn_\w+?_[\w-]+/.exec(stdout) ?? [];
  const probe = await fetch(`${granary.url}/${id.path}/@v/v0.0.1.zip`, { method: "PUT", body: "x" });
  if (probe.status === 405) {
    skipLoudly(t, "this server takes no PUT");
    return;
  }
  const at = [`--server=${granary.url}`, "--token=env:TOKEN", "--json"];
  const run = async (files: Readonly<Record<string, string>>, ...more: readonly string[]): Promise<Ran> =>
    await publish([await makeFolder(t, files), "--version=v1.2.3", ...at, ...more], { TOKEN: token });
  const first = await run(moduleFiles);
  assert.deepEqual([first.code, viewOf(first).sent?.outcome], [0, "new"], first.stdout + first.stderr);
  const served = await fetch(`${granary.url}/${id.path}/@v/v1.2.3.zip`);
  const bytes = Buffer.from(await served.arrayBuffer());
  assert.equal(createHash("sha256").update(bytes).digest("hex"), viewOf(first).sha256);
  assert.equal(await (await fetch(`${granary.url}/${id.path}/@v/list`)).text(), "v1.2.3\n");
  assert.equal((await run(moduleFiles)).code, 0);
  const other = await run({ ...moduleFiles, "more.go": "package tool\n" });
  assert.deepEqual([other.code, viewOf(other).sent?.outcome], [1, "conflict"], other.stdout + other.stderr);
  const open = await run({ "go.mod": "module example.com/open\n" });
  assert.deepEqual([open.code, /403/.test(open.stderr)], [3, true], open.stderr);
  const stranger = await publish([await makeFolder(t, moduleFiles), "--version=v1.2.4", `--server=${granary.url}`]);
  assert.deepEqual([stranger.code, /401/.test(stranger.stderr)], [3, true], stranger.stderr);
});
