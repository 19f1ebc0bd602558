// `direct` against the world as it may be: wrong passwords, hosts that lead inside, pages and refs that want to be
// arguments, repositories without end. Whoever asks gets a sentence; nothing is stored, nothing inside is reached.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld, plantedSecret } from "../support/direct-world.ts";
import type { DirectWorld, StartOptions } from "../support/direct-world.ts";
import { makeRepository } from "../support/git-repository.ts";
import type { GitCommit } from "../support/git-repository.ts";
import { needsGo, skipLoudly } from "../support/go.ts";

type Said = { readonly status: number; readonly text: string };

async function ask(url: string, path: string): Promise<Said> {
  const response = await fetch(url + path);
  return { status: response.status, text: await response.text() };
}

async function scene(
  t: TestContext,
  options: Parameters<typeof directWorld>[0] = {},
): Promise<DirectWorld | undefined> {
  if ((await needsGo(t)) === undefined) return undefined;
  const world = await directWorld(options);
  if (world === undefined) {
    skipLoudly(t, "no `openssl` on PATH");
    return;
  }
  atEnd(t, () => world.close());
  return world;
}

const simple = (path: string): readonly GitCommit[] => [
  { files: { "go.mod": `module ${path}\n`, "a.go": "package a\n" }, tags: ["v1.0.0"] },
];
const hello = `${corpHost}/team/hello`;

/** No module, and no run that goes on or left something. */
async function nothingStayed(world: DirectWorld): Promise<void> {
  const kept = await readdir(join(world.store, "modules"), { recursive: true }).catch(() => []);
  assert.deepEqual(
    kept.filter((name) => /\.(zip|mod|info)$/.test(name)),
    [],
  );
  assert.deepEqual(await readdir(join(world.folder, "runs")).catch(() => []), []);
}

/** Somebody inside who must never be spoken with. */
async function canary(t: TestContext): Promise<{ readonly port: number; readonly connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  atEnd(t, () => server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

test("a wrong password, an unknown host, a host that nobody named: a sentence each, and no secret in it", async (t) => {
  const world = await scene(t);
  if (world === undefined) return;
  await makeRepository(join(world.repositories, "team/hello"), simple(hello));
  const wrong = join(world.folder, "wrong");
  await writeFile(wrong, "wr0ng-secret\n");
  const place = [
    `    address: ${world.host.address}`,
    `    password: file:${wrong}`,
    `    ca: ${world.certificate.cert}`,
  ].join("\n");
  const granary = await world.start({
    place,
    direct: `${corpHost}/*,inside.example/*,nowhere.invalid/*,*.example/glob`,
    more: "hosts:\n  elsewhere.example: 127.0.0.1\n",
  });
  for (const [path, why] of [
    [
      `/${hello}/@v/list`,
      /GRANARY_DIRECT_FAILED: .*\nhttps:\/\/git\.corp\.example\/team\/hello\?go-get=1 answered 401\n/,
    ],
    [`/${hello}/@v/v1.0.0.zip`, /answered 401/],
    ["/nowhere.invalid/x/@v/list", /nowhere\.invalid/],
    ["/elsewhere.example/glob/@v/list", /elsewhere\.example is inside/],
  ] as const) {
    const { status, text } = await ask(granary.url, path);
    assert.equal(status, 502, text);
    assert.match(text, why);
    assert.doesNotMatch(text, /wr0ng|Z3JhbmFyeT/);
  }
  assert.doesNotMatch(granary.stderr() + granary.stdout(), /wr0ng|Z3JhbmFyeT/);
  assert.deepEqual(await readdir(join(world.folder, "runs")).catch(() => []), []);
  await nothingStayed(world);
  const asked = world.host.requests.length;
  const other = await ask(granary.url, "/public.example.org/x/@v/list");
  assert.equal(other.status, 404);
  assert.match(other.text, /GRANARY_NOT_KEPT/);
  assert.equal(world.host.requests.length, asked, "a public name was asked of a repository");
});

test("pages that want to lead inside, or to be an argument: not followed, not run", async (t) => {
  const inside = await canary(t);
  const pages = new Map<string, (response: ServerResponse) => void>();
  const page = (content: string) => (response: ServerResponse) =>
    void response
      .writeHead(200, { "content-type": "text/html" })
      .end(`<head><meta name="go-import" content="${content}"></head>`);
  const redirect = (location: string) => (response: ServerResponse) => void response.writeHead(302, { location }).end();
  const before = ({ url = "" }: IncomingMessage, response: ServerResponse): boolean => {
    const found = [...pages].find(([name]) => url.startsWith(`/${name}?`) || url.startsWith(`/${name}/`));
    found?.[1](response);
    return found !== undefined;
  };
  const world = await scene(t, { before, hosts: ["evil.example"] });
  if (world === undefined) return;
  const touched = join(world.folder, "touched");
  const { port } = inside;
  const gitTo = (location: string) => (name: string) => (response: ServerResponse) => {
    const isPage = response.req.url?.includes("go-get=1") === true;
    (isPage ? tag(name, `git https://evil.example/${name}`) : redirect(location))(response);
  };
  const tag = (name: string, rest: string) => page(`evil.example/${name} ${rest}`);
  const hostile: Readonly<Record<string, (name: string) => (response: ServerResponse) => void>> = {
    file: (name) => tag(name, "git file:///etc"),
    path: (name) => tag(name, "git /etc"),
    ext: (name) => tag(name, `git ext::sh%20-c%20touch%20${touched}`),
    exturl: (name) => tag(name, `git ext://sh`),
    option: (name) => tag(name, `git --upload-pack=touch${touched}`),
    optionurl: (name) => tag(name, `git https://--upload-pack=x/y`),
    optionpath: (name) => tag(name, `git https://evil.example/-c/x`),
    ssh: (name) => tag(name, `git ssh://-oProxyCommand=touch${touched}/x`),
    sshplain: (name) => tag(name, `git ssh://git@evil.example/x`),
    scp: (name) => tag(name, `git git@evil.example:x`),
    gitproto: (name) => tag(name, `git git://127.0.0.1:${port}/x`),
    http: (name) => tag(name, `git http://127.0.0.1:${port}/x`),
    loopback: (name) => tag(name, `git https://127.0.0.1:${port}/x`),
    localhost: (name) => tag(name, `git https://localhost:${port}/x`),
    mapped: (name) => tag(name, `git https://[::ffff:127.0.0.1]:${port}/x`),
    six: (name) => tag(name, `git https://[::1]:${port}/x`),
    decimal: (name) => tag(name, `git https://2130706433:${port}/x`),
    hex: (name) => tag(name, `git https://0x7f.1:${port}/x`),
    metadata: (name) => tag(name, "git https://169.254.169.254/latest"),
    name: (name) => tag(name, "git https://canary.example/x"),
    nameport: (name) => tag(name, `git https://canary.example:${port}/x`),
    userinfo: (name) => tag(name, `git https://a:b@evil.example/x`),
    hg: (name) => tag(name, "hg https://evil.example/x"),
    svn: (name) => tag(name, "svn https://evil.example/x"),
    fossil: (name) => tag(name, "fossil https://evil.example/x"),
    mod: (name) => tag(name, `mod https://127.0.0.1:${port}`),
    subdir: (name) => tag(name, "git https://evil.example/x -x"),
    subup: (name) => tag(name, "git https://evil.example/x ../../etc"),
    twice: (name) => (response) =>
      void response.end(
        `<head>${`<meta name="go-import" content="evil.example/${name} git https://evil.example/x">`.repeat(2)}</head>`,
      ),
    toloopback: () => redirect(`https://127.0.0.1:${port}/x?go-get=1`),
    tolocalhost: () => redirect(`https://localhost:${port}/x?go-get=1`),
    tohttp: () => redirect(`http://127.0.0.1:${port}/x?go-get=1`),
    tofile: () => redirect("file:///etc/passwd"),
    toname: () => redirect("https://canary.example/x?go-get=1"),
    toloop: (name) => redirect(`https://evil.example/${name}?go-get=1&again`),
    // The page is good, and git is what is redirected.
    gitaway: gitTo(`https://127.0.0.1:${port}/x/info/refs?service=git-upload-pack`),
    gitfile: gitTo("file:///etc/info/refs?service=git-upload-pack"),
    large: () => (response) => void response.writeHead(200).end(Buffer.alloc(2 << 20, 32)),
    status: () => (response) => void response.writeHead(503).end("later"),
  };
  for (const [name, make] of Object.entries(hostile)) pages.set(name, make(name));
  const granary = await world.start({
    direct: "evil.example/*",
    more: [
      `  evil.example:\n    address: ${world.host.address}\n    ca: ${world.certificate.cert}`,
      "hosts:\n  canary.example: 127.0.0.1\n",
    ].join("\n"),
  });
  const answers = await Promise.all(
    Object.keys(hostile).map(async (name) => [name, await ask(granary.url, `/evil.example/${name}/@v/list`)] as const),
  );
  for (const [name, { status, text }] of answers) {
    assert.equal(status, 502, `${name}: ${text}`);
    assert.match(text, /GRANARY_DIRECT_FAILED/, name);
    assert.ok(text.trimEnd().split("\n").length <= 8, `${name}: ${text}`);
    assert.ok(!text.includes(join(world.folder, "runs")), `${name} shows a path of this machine: ${text}`);
  }
  assert.equal(inside.connections(), 0, "somebody inside was spoken with");
  assert.ok(!existsSync(touched), "a page ran a command");
  // Names that lead here by themselves, without any page.
  for (const path of ["127.0.0.1/x", "127.0.0.1/x.git", "canary.example/x.git", "localhost.localdomain/x"])
    assert.ok((await ask(granary.url, `/${path}/@v/list`)).status >= 400);
  assert.equal(inside.connections(), 0);
  await nothingStayed(world);
});

test("`direct` in the list is for everybody's names, and leads inside no more than before", async (t) => {
  const inside = await canary(t);
  const world = await scene(t);
  if (world === undefined) return;
  const granary = await world.start({
    direct: "",
    flags: ["--upstream=direct"],
    more: "hosts:\n  canary.example: 127.0.0.1\n",
  });
  for (const [path, why] of [
    ["canary.example/x", /canary\.example is inside/],
    ["canary.example/x.git", /canary\.example is inside/],
    // The go command would go there by itself, past every proxy.
    ["127.0.0.1/x", /is no host that modules are read from/],
    ["127.0.0.1/x.git", /is no host that modules are read from/],
    ["127.9.9.9/x", /is no host that modules are read from/],
  ] as const) {
    const { status, text } = await ask(granary.url, `/${path}/@v/list`);
    assert.equal(status, 502, text);
    assert.match(text, /GRANARY_DIRECT_FAILED/);
    assert.match(text, why);
  }
  assert.equal(inside.connections(), 0);
  await granary.stop(); // what is not written yet is written then
  const events = await readFile(join(world.store, "state/events.jsonl"), "utf8");
  assert.match(events, /"name":"egress\.failed","upstream":"direct","host":"canary\.example:443"/);
});

test("refs and queries that look like arguments are names", async (t) => {
  const world = await scene(t);
  if (world === undefined) return;
  await makeRepository(join(world.repositories, "team/hello"), [
    {
      ...simple(hello)[0],
      files: { "go.mod": `module ${hello}\n`, "a.go": "package a\n" },
      tags: [
        "v1.0.0",
        "--upload-pack=x",
        "v1.1.0-$(touch${IFS}touched)",
        "v1.2.0;x",
        "v1.3.0-`id`",
        "v1.4.0-a&b",
        "v1.5.0-ä",
        "-c",
        "v1.6.0-rc.1",
      ],
    },
  ]);
  const granary = await world.start();
  const list = await ask(granary.url, `/${hello}/@v/list`);
  assert.deepEqual([list.status, list.text], [200, "v1.0.0\nv1.6.0-rc.1\n"]);
  for (const query of [
    "--upload-pack=x",
    "-c",
    "-",
    "--",
    "none",
    "upgrade",
    "patch",
    "%3C%3Dv1.0.0",
    "v1.2.0;x",
    "v1.3.0-%60id%60",
    "a%40b",
  ]) {
    const { status, text } = await ask(granary.url, `/${hello}/@v/${query}.info`);
    assert.ok(status === 404 || status === 400 || status === 502, `${query}: ${status} ${text}`);
  }
  const files = await readdir(world.folder, { recursive: true });
  assert.deepEqual(
    files.filter((name) => name.endsWith("touched")),
    [],
  );
});

test("a repository without end, and one that never answers, are given up within their limits", async (t) => {
  let hung = 0;
  const before = ({ url = "" }: IncomingMessage, response: ServerResponse): boolean => {
    if (url.startsWith("/hang/") && !url.includes("go-get")) {
      hung++;
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" }).flushHeaders();
      return true;
    }
    if (!url.startsWith("/flood/") || url.includes("go-get")) return false;
    response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" });
    response.write("001e# service=git-upload-pack\n0000");
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_520, "fff0")));
    };
    response.on("drain", more);
    more();
    return true;
  };
  const world = await scene(t, { before });
  if (world === undefined) return;
  const noise = Buffer.alloc(6 << 20, 0);
  for (let at = 0, state = 1; at < noise.length; at += 4)
    noise.writeUInt32LE((state = Math.imul(state, 1664525) + 1013904223) >>> 0, at);
  await makeRepository(join(world.repositories, "team/huge"), [
    { files: { "go.mod": `module ${corpHost}/team/huge\n`, "noise.bin": noise }, tags: ["v1.0.0"] },
  ]);
  for (const name of ["hang/x", "flood/x"])
    await makeRepository(join(world.repositories, name), simple(`${corpHost}/${name}`));
  const env = { GRANARY_DIRECT_TIMEOUT: "5s", GRANARY_DIRECT_MAX_BYTES: "2MiB" };
  const granary = await world.start({ env });
  for (const [path, why] of [
    ["team/huge/@v/v1.0.0.info", /direct\.maxBytes \(2 MiB\)/],
    ["flood/x/@v/list", /direct\.(maxBytes|timeout)/],
    ["hang/x/@v/list", /direct\.timeout \(5 s\)/],
  ] as const) {
    const { status, text } = await ask(granary.url, `/${corpHost}/${path}`);
    assert.equal(status, 502, text);
    assert.match(text, why);
  }
  assert.ok(hung > 0);
  await nothingStayed(world);
  assert.deepEqual(await childrenOf(granary.pid), [], "a child of a run still lives");
});

test("a run that takes too much memory is given up", async (t) => {
  if (process.platform !== "linux") {
    skipLoudly(t, "memory is counted in /proc");
    return;
  }
  const world = await scene(t);
  if (world === undefined) return;
  await makeRepository(join(world.repositories, "team/hello"), simple(hello));
  const granary = await world.start({ env: { GRANARY_DIRECT_MAX_MEMORY: "2MiB" } });
  const { status, text } = await ask(granary.url, `/${hello}/@v/v1.0.0.info`);
  assert.equal(status, 502, text);
  assert.match(text, /direct\.maxMemory \(2 MiB\)/);
  await nothingStayed(world);
});

/** Processes below this one, by name. */
async function childrenOf(pid: number): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "");
    const [, name = "", state = "", parent = ""] = /^\d+ \((.*)\) (\S) (\d+)/.exec(stat) ?? [];
    if (Number(parent) === pid && state !== "Z") names.push(name);
  }
  return names;
}

test("without go, or without git, the answer says which", async (t) => {
  const world = await scene(t);
  if (world === undefined) return;
  await makeRepository(join(world.repositories, "team/hello"), simple(hello));
  const bin = join(world.folder, "bin");
  await mkdir(bin);
  const granary = await world.start({ env: { PATH: bin } });
  const without = await ask(granary.url, `/${hello}/@v/list`);
  assert.equal(without.status, 502);
  assert.match(without.text, /GRANARY_NO_GO: .*`go`/);
  const go =
    (process.env["PATH"] ?? "")
      .split(":")
      .map((folder) => join(folder, "go"))
      .find((file) => existsSync(file)) ?? "";
  await symlink(go, join(bin, "go"));
  const withGo = await ask(granary.url, `/${hello}/@v/list`);
  assert.equal(withGo.status, 502);
  assert.match(withGo.text, /GRANARY_NO_GO: .*`git`/);
});

test("what is of this server's environment does not reach the child", async (t) => {
  const world = await scene(t);
  if (world === undefined) return;
  const bin = join(world.folder, "bin");
  await mkdir(bin);
  const seen = join(world.folder, "seen");
  await writeFile(
    join(bin, "go"),
    `#!/bin/sh\n/usr/bin/env > '${seen}'\nprintf '%s\\n' "$@" > '${seen}.args'\nexit 1\n`,
  );
  await chmod(join(bin, "go"), 0o755);
  const hostile = {
    GOFLAGS: "-toolexec=/bin/false",
    GOPROXY: "https://elsewhere.example",
    GIT_SSH: "/bin/false",
    GIT_EXEC_PATH: "/nowhere",
    GIT_CONFIG_COUNT: "1",
    LD_PRELOAD: "",
    CGO_CFLAGS: "-x",
    SSH_AUTH_SOCK: "/tmp/agent",
    SECRET_TOKEN: "tell-nobody",
    HTTPS_PROXY: "",
  };
  const ended = spawnSync("true").pid;
  const left = join(world.folder, "runs", `granary-direct-${ended}-abcdef`);
  const alive = join(world.folder, "runs", `granary-direct-${process.pid}-abcdef`);
  for (const folder of [left, alive]) await mkdir(join(folder, "mod/cache"), { recursive: true });
  const granary = await world.start({ env: { ...hostile, PATH: bin } });
  await ask(granary.url, `/${hello}/@v/v1.0.0.info`);
  const names = (await readFile(seen, "utf8")).split("\n").map((line) => line.split("=")[0] ?? "");
  const known =
    /^(PATH|PWD|OLDPWD|SHLVL|_|LANG|LC_ALL|TZ|HOME|TMPDIR|GO\w+|CGO_ENABLED|HTTPS?_PROXY|NO_PROXY|GIT_(CONFIG_GLOBAL|CONFIG_NOSYSTEM|ATTR_NOSYSTEM|TERMINAL_PROMPT|ASKPASS|ALLOW_PROTOCOL|SSH_COMMAND|SSH_VARIANT)|SSH_ASKPASS)$/;
  assert.deepEqual(
    names.filter((name) => name !== "" && !known.test(name)),
    [],
  );
  const text = await readFile(seen, "utf8");
  assert.match(text, /^GOFLAGS=-modcacherw$/m);
  assert.match(text, /^GOPROXY=direct$/m);
  assert.doesNotMatch(text, /tell-nobody/);
  assert.ok(!text.includes(plantedSecret), "a password is in the child's environment");
  assert.equal(await readFile(`${seen}.args`, "utf8"), `mod\ndownload\n-json\n${hello}@v1.0.0\n`);
  assert.deepEqual([existsSync(left), existsSync(alive)], [false, true], "what a dead process left, and nothing else");
});

test("a password is shown to its own place only: not to a redirect, not to a neighbour", async (t) => {
  const before = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { url = "", headers } = request;
    if (headers.host?.startsWith("other.example") === true) {
      if (url.includes("go-get=1"))
        response.end(`<head><meta name="go-import" content="other.example/x git https://other.example/x"></head>`);
      else response.writeHead(401, { "www-authenticate": 'Basic realm="give"' }).end();
      return true;
    }
    if (!url.startsWith("/team/away")) return false;
    response.writeHead(302, { location: `https://other.example${url}` }).end();
    return true;
  };
  const world = await scene(t, { before, hosts: ["other.example"] });
  if (world === undefined) return;
  await makeRepository(join(world.repositories, "team/hello"), simple(hello));
  const more = `  other.example:\n    address: ${world.host.address}\n    ca: ${world.certificate.cert}\n`;
  const start = async (options: StartOptions) =>
    (await world.start({ direct: `${corpHost}/*,other.example/*`, more, ...options })).url;
  const url = await start({});
  assert.equal((await ask(url, `/${corpHost}/team/away/@v/list`)).status, 502);
  assert.equal((await ask(url, "/other.example/x/@v/list")).status, 502);
  const shown = world.host.requests.filter((line) => line.includes("Basic"));
  assert.ok(
    shown.every((line) => !line.includes("/x") && (!line.includes("/away") || line.includes("go-get=1"))),
    shown.join("\n"),
  );
});
