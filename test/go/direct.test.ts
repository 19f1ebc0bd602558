// A private repository with a password, behind TLS of a company's own authority: a plain go builds it through Granary
// from an empty cache, with GOSUMDB set to Granary's own database.
import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld, plantedSecret } from "../support/direct-world.ts";
import type { DirectWorld } from "../support/direct-world.ts";
import { gcUntilGone, noLongerAnswered } from "../support/evict.ts";
import { makeRepository } from "../support/git-repository.ts";
import type { GitCommit } from "../support/git-repository.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { obtainGo, wantedGoVersions } from "../support/toolchains.ts";

const hello = `${corpHost}/team/hello`;
const goMod = (path: string): string => `module ${path}\n\ngo 1.19\n`;
const helloCommits: readonly GitCommit[] = [
  {
    files: { "go.mod": goMod(hello), "hello.go": "package hello\n\nconst Word = 1\n", LICENSE: "free\n" },
    tags: ["v1.0.0"],
  },
  { files: { "hello.go": "package hello\n\nconst Word = 2\n" }, annotated: ["v1.1.0"] },
  { files: { "v2/go.mod": goMod(`${hello}/v2`), "v2/hello.go": "package hello\n" }, tags: ["v2.0.0"] },
  { files: { "sub/go.mod": goMod(`${hello}/sub`), "sub/sub.go": "package sub\n" }, tags: ["sub/v0.1.0"] },
  { files: { "hello.go": "package hello\n\nconst Word = 3\n" } },
];

async function scene(t: TestContext): Promise<{ tool: GoTool; world: DirectWorld } | undefined> {
  const tool = await needsGo(t);
  if (tool === undefined) return undefined;
  const world = await directWorld();
  if (world === undefined) {
    skipLoudly(t, "no `openssl` on PATH");
    return;
  }
  atEnd(t, () => world.close());
  await makeRepository(join(world.repositories, "team/hello"), helloCommits);
  return { tool, world };
}

async function withClient<T>(
  tool: GoTool,
  env: Record<string, string>,
  work: (go: GoClient) => Promise<T>,
): Promise<T> {
  const go = await newGoClient(tool, env);
  try {
    return await work(go);
  } finally {
    await go.remove();
  }
}

test("a private repository with a password builds from an empty cache, verified by the own database", async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { tool, world } = found;
  const granary = await world.start();
  const env = { GOPROXY: granary.url, GOSUMDB: world.verifierKey };
  await withClient(tool, env, async (go) => {
    const cwd = join(go.home, "work/app");
    await mkdir(cwd, { recursive: true });
    await writeFile(join(cwd, "go.mod"), goMod("work.example/app"));
    await writeFile(
      join(cwd, "main.go"),
      `package main\n\nimport (\n\t_ "${hello}"\n\t_ "${hello}/v2"\n\t_ "${hello}/sub"\n)\n\nfunc main() {}\n`,
    );
    await go.ok(["mod", "tidy"], { cwd });
    await go.ok(["build", "./..."], { cwd });
    await go.ok(["mod", "verify"], { cwd });
    assert.match(
      await readFile(join(cwd, "go.mod"), "utf8"),
      /team\/hello v1\.1\.0\n.*team\/hello\/sub v0\.1\.0\n.*team\/hello\/v2 v2\.0\.0\n/s,
    );
  });
  const { stdout } = await withClient(tool, env, (go) => go.ok(["list", "-m", "-versions", `${hello}@latest`]));
  assert.equal(stdout.trim(), `${hello} v1.0.0 v1.1.0`);
  const branch = await withClient(tool, env, (go) => go.ok(["mod", "download", "-json", `${hello}@main`]));
  assert.match(branch.stdout, /"Version": "v1\.1\.1-0\.20240101\d{6}-[0-9a-f]{12}"/);
  const gone = await withClient(tool, env, (go) => go.run(["mod", "download", `${hello}@v9.9.9`]));
  assert.match(gone.output, /404 Not Found/);
  assert.match(gone.output, /unknown revision v9\.9\.9/);
  assert.deepEqual(
    (await readdir(join(world.folder, "runs"))).filter((name) => !name.startsWith("granary-direct-")),
    [],
  );
  await isNowhere(world, plantedSecret, granary.stdout() + granary.stderr() + gone.output);
});

test("old and new go commands on the server make the same module", { timeout: 250_000 }, async (t) => {
  if (process.env["LONG"] === undefined) {
    t.skip("with LONG=1");
    return;
  }
  const sums = new Set<string>();
  for (const version of wantedGoVersions) {
    const server = await obtainGo(version);
    if (typeof server === "string") {
      skipLoudly(t, server);
      continue;
    }
    const found = await scene(t);
    if (found === undefined) return;
    const granary = await found.world.start({ env: { PATH: `${server.goroot}/bin:/usr/bin:/bin` } });
    const env = { GOPROXY: granary.url, GOSUMDB: "off" };
    const { stdout } = await withClient(found.tool, env, (go) =>
      go.ok(["mod", "download", "-json", `${hello}@v1.1.0`]),
    );
    sums.add(/"Sum": "(h1:[^"]+)"/.exec(stdout)?.[1] ?? stdout);
    const gone = await fetch(`${granary.url}/${hello}/@v/v9.9.9.info`);
    assert.equal(gone.status, 404, `go ${version}: ${await gone.text()}`);
  }
  assert.ok(sums.size <= 1, [...sums].join(" "));
});

test("a tag that was moved by force: the same bytes for ever, and an alarm", async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { tool, world } = found;
  const granary = await world.start({ env: { GRANARY_DIRECT_KEEP: "1s", GRANARY_CACHE_ENABLED: "off" } });
  const env = { GOPROXY: granary.url, GOSUMDB: world.verifierKey };
  const ask = async () => await withClient(tool, env, (go) => go.run(["mod", "download", "-json", `${hello}@v1.0.0`]));
  const sumIn = (text: string): string => /"Sum": "(h1:[^"]+)"/.exec(text)?.[1] ?? text;
  const first = await ask();
  assert.equal(first.code, 0, first.output);
  await makeRepository(
    join(world.repositories, "team/hello"),
    [{ files: { "hello.go": "package hello\n\nconst Word = 666\n" }, tags: ["v1.0.0"] }],
    { fromHour: 24 },
  );
  const again = await ask();
  assert.equal(sumIn(again.stdout), sumIn(first.stdout));

  await gcUntilGone(world.store, `${hello}@v1.0.0`, "--private");
  await noLongerAnswered(granary.url, `${hello}@v1.0.0`);
  const moved = await ask();
  assert.notEqual(moved.code, 0);
  assert.match(moved.output, /GRANARY_PIN_MISMATCH/);
  await granary.stop(); // what is not written yet is written then
  const events = await readFile(join(world.store, "state/events.jsonl"), "utf8");
  assert.match(events, /"name":"module\.denied".*"code":"GRANARY_PIN_MISMATCH"/);
  assert.ok((await readdir(join(world.store, "state/quarantine"))).some((name) => name.endsWith(".bytes")));
});

test("a place that is read over SSH: its key and host keys, and no other host", async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { tool, world } = found;
  // Stands in for ssh: says what it was told, and serves when it is the host that was configured.
  const bin = join(world.folder, "bin");
  await mkdir(bin);
  const said = join(world.folder, "ssh-said");
  await writeFile(
    join(bin, "ssh"),
    `#!/bin/sh\necho "$@" >> '${said}'\ncat "$2" >> '${said}'\nfor last; do :; done\ncd '${world.repositories}' && eval "exec \${last%% *} $(echo "\${last#* }" | sed "s:'/:'./:")"\n`,
  );
  await chmod(join(bin, "ssh"), 0o755);
  const place = [
    `    address: ${world.host.address}`,
    `    ca: ${world.certificate.cert}`,
    "    user: builder",
    `    password: file:${join(world.folder, "password")}`,
  ].join("\n");
  const ssh = `  ${corpHost}/team:\n    sshKey: /etc/granary/id_ed25519\n    knownHosts: /etc/granary/known_hosts\n`;
  const granary = await world.start({ place, more: ssh, env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` } });
  const env = { GOPROXY: granary.url, GOSUMDB: world.verifierKey };
  const { output } = await withClient(tool, env, (go) => go.ok(["mod", "download", "-json", `${hello}@v1.0.0`]));
  assert.match(output, /"Sum": "h1:/);
  const told = await readFile(said, "utf8");
  assert.match(told, /^-F \S+\/secrets\/ssh_config .*git@git\.corp\.example_2fteam git-upload-pack '\/team\/hello'$/m);
  assert.match(
    told,
    /^Host git\.corp\.example_2fteam git\.corp\.example\n(?: {2}.*\n)* {2}IdentityFile "\/etc\/granary\/id_ed25519"\n {2}UserKnownHostsFile "\/etc\/granary\/known_hosts"\n {2}ProxyCommand none\n/m,
  );
  assert.match(told, /^Host \*\n {2}ProxyCommand false\n/m);
  assert.match(told, /StrictHostKeyChecking yes/);
  assert.ok(!world.host.requests.some((line) => line.includes("upload-pack")), "git was not spoken over SSH");
});

/** A secret stands in no file of store and logs, and in nothing that was said. */
async function isNowhere(world: DirectWorld, secret: string, said: string): Promise<void> {
  const forms = [secret, Buffer.from(`builder:${secret}`).toString("base64")];
  for (const form of forms) assert.ok(!said.includes(form), said);
  for (const folder of [world.store, join(world.folder, "logs"), join(world.folder, "runs")])
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath, entry.name), "latin1");
      for (const form of forms) assert.ok(!text.includes(form), `${entry.parentPath}/${entry.name} holds the secret`);
    }
}
