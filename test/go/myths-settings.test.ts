// What documents claim of go's settings and commands, tried with the real go (src/services/myths).
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { capture } from "../support/go.ts";
import type { GoClient } from "../support/go.ts";
import { makeModule } from "../support/modules.ts";
import { goVersions, hello, helloV1, mythRoom, startInternet } from "../support/myth-room.ts";

async function mainModule(go: GoClient, lines = "", files: Readonly<Record<string, string>> = {}): Promise<string> {
  const cwd = join(go.home, "main");
  const all = { "go.mod": `module main.test/m\n\ngo 1.19\n\n${lines}\n`, ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  return cwd;
}

suite("myths of settings", { concurrency: 4 }, () => {
  test("go env -w lasts, in the user's configuration folder, and a variable of the process wins over it", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go } = room;
    const unset = { GOENV: "", GOPROXY: "" };
    const file = (await go.ok(["env", "GOENV"], { env: unset })).stdout.trim();
    assert.ok(file.startsWith(go.home) && /[/\\]go[/\\]env$/.test(file), file);
    if (process.platform === "linux") assert.equal(file, join(go.home, ".config/go/env"));
    await go.ok(["env", "-w", "GOPROXY=https://written.example"], { env: unset });
    assert.equal(await readFile(file, "utf8"), "GOPROXY=https://written.example\n");
    const read = async (env: Record<string, string>): Promise<string> =>
      (await go.ok(["env", "GOPROXY"], { env: { ...unset, ...env } })).stdout.trim();
    assert.equal(await read({}), "https://written.example");
    assert.equal(await read({ GOPROXY: "https://exported.example" }), "https://exported.example");
    // The files that documents name are not read.
    for (const name of [".go/env", "go/env"]) {
      await mkdir(dirname(join(go.home, name)), { recursive: true });
      await writeFile(join(go.home, name), "GOPROXY=https://nobody.example\n");
    }
    assert.equal(await read({}), "https://written.example");
  });

  test("go env -w refuses GODEBUG, and variables that go does not know", async (t) => {
    for (const tool of await goVersions(t, ["1.19.13", "1.21.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      const write = async (pair: string): Promise<string> => {
        const { code, output } = (await room?.go.run(["env", "-w", pair], { env: { GOENV: "" } })) ?? assert.fail();
        assert.notEqual(code, 0, `${tool.version} ${pair}`);
        return output;
      };
      for (const value of ["tls13=1", "http2debug=2", "x509ignoreCN=0"])
        assert.match(
          await write(`GODEBUG=${value}`),
          /GODEBUG can only be set using the OS environment|unknown go command variable GODEBUG/,
        );
      for (const name of ["GOKEYS", "GOSUMDB_PUBLICKEY", "GONOSUMCHECK", "GOPROXY_TIMEOUT"])
        assert.match(await write(`${name}=1`), new RegExp(`unknown go command variable ${name}`));
    }
  });

  test("go env -w GOROOT breaks every later command up to go 1.26, and is refused from 1.27 on", async (t) => {
    for (const tool of await goVersions(t, ["1.21.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      if (room === undefined) return;
      const env = { GOENV: "", GOROOT: "", GOPATH: "" };
      const written = await room.go.run(["env", "-w", "GOROOT=/missing", "GOPATH=/elsewhere"], { env });
      const later = await room.go.run(["env", "GOPATH"], { env });
      if (written.code === 0) {
        assert.match(tool.version, /^1\.(?:[0-9]|1[0-9]|2[0-6])\./);
        assert.match(later.output, /cannot find GOROOT directory: \/missing/);
        assert.notEqual((await room.go.run(["env", "-u", "GOROOT"], { env })).code, 0, "not even the way back");
      } else {
        assert.match(written.output, /GOROOT cannot be modified/);
        assert.deepEqual([later.code, later.stdout.trim() === "/elsewhere"], [0, false], "refused whole");
      }
    }
  });

  test("the user's file counts where HOME is right, and nothing is read without one", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined || process.platform !== "linux") return;
    const { go } = room;
    await mkdir(join(go.home, ".config/go"), { recursive: true });
    await writeFile(join(go.home, ".config/go/env"), "GOPROXY=https://written.example\n");
    // As a service manager starts it: nothing of a login.
    const asked = async (env: Record<string, string>): Promise<string> => {
      const program = join(go.tool.goroot, "bin/go");
      return (await capture(program, ["env", "GOPROXY"], { cwd: go.home, env, timeoutMs: 60_000 })).stdout.trim();
    };
    const bare = { PATH: "/usr/bin:/bin", GOTOOLCHAIN: "local", GOTELEMETRY: "off", GOCACHE: join(go.home, "cache") };
    assert.equal(await asked({ ...bare, HOME: go.home }), "https://written.example");
    assert.notEqual(await asked(bare), "https://written.example");
    assert.equal(await asked({ ...bare, GOPROXY: "https://unit.example" }), "https://unit.example");
  });

  test("GO111MODULE=off downloads no module and clones nothing", async (t) => {
    for (const tool of await goVersions(t, ["1.21.13", "1.22.12", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      if (room === undefined) return;
      const internet = await startInternet(t);
      const env = { ...internet.env, GO111MODULE: "off", GOPROXY: "direct" };
      for (const args of [
        ["get", helloV1],
        ["mod", "download", helloV1],
      ]) {
        const { code, output } = await room.go.run(args, { env });
        assert.notEqual(code, 0);
        assert.match(output, /modules disabled by GO111MODULE=off|can only use path@version syntax/, tool.version);
      }
      assert.deepEqual(internet.asked, []);
    }
  });

  test("modules lie in GOMODCACHE, below GOPATH; GOCACHE holds builds, and off is an error", async (t) => {
    for (const tool of await goVersions(t, ["1.19.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      if (room === undefined) return;
      const { go } = room;
      const asked = await go.ok(["env", "GOMODCACHE"], { env: { GOMODCACHE: "" } });
      assert.equal(asked.stdout.trim(), join(go.gopath, "pkg/mod"));
      const GOCACHE = join(go.home, "builds");
      await go.ok(["mod", "download", helloV1], { env: { GOCACHE } });
      // Emptying the build cache leaves modules where they are.
      await go.ok(["clean", "-cache"], { env: { GOCACHE } });
      await go.ok(["mod", "download", helloV1], { env: { GOCACHE, GOPROXY: "off" } });
      const cwd = await mainModule(go, "", { "a.go": "package m\n" });
      const off = await go.run(["build", "."], { cwd, env: { GOCACHE: "off" } });
      assert.match(off.output, /build cache is disabled by GOCACHE=off, but required as of Go 1\.12/);
    }
  });

  test("a relative path cannot have @latest", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const cwd = await mainModule(room.go, "", { "cmd/sdkctl/main.go": "package main\n\nfunc main() {}\n" });
    const { code, output } = await room.go.run(["install", "./cmd/sdkctl@latest"], { cwd });
    assert.notEqual(code, 0);
    assert.match(output, /sdkctl@latest/);
    assert.deepEqual(room.seen, []);
  });

  test("a replace with a URL is refused when go.mod is read", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const cwd = await mainModule(room.go, `replace ${hello} => http://proxy.example/hello`);
    const { code, output } = await room.go.run(["list", "-m", "all"], { cwd });
    assert.notEqual(code, 0);
    assert.match(output, /replacement module without version must be directory path/);
  });

  test("files of dep and glide are ignored", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const old = { "Gopkg.lock": "not even toml", "Gopkg.toml": "x", "glide.yaml": ":", "glide.lock": ":" };
    const cwd = await mainModule(room.go, "", old);
    await room.go.ok(["get", helloV1], { cwd });
    const { stdout } = await room.go.ok(["list", "-m", "all"], { cwd });
    assert.equal(stdout, `main.test/m\n${hello} v1.0.0\n`);
    await room.go.ok(["mod", "tidy"], { cwd });
    for (const [name, text] of Object.entries(old)) assert.equal(await readFile(join(cwd, name), "utf8"), text);
  });

  test("go mod graph prints pairs of versions only; go list -m -u -json tells of deprecation and retraction", async (t) => {
    const goMod = `// Deprecated: use another one.\nmodule ${hello}\n\ngo 1.19\n\nretract v1.0.0 // oops\n`;
    const room = await mythRoom(t, {
      modules: [
        makeModule({ path: hello, version: "v1.0.0" }),
        makeModule({ path: hello, version: "v1.1.0", files: { "go.mod": goMod } }),
      ],
    });
    if (room === undefined) return;
    const { go } = room;
    const cwd = await mainModule(go);
    await go.ok(["get", helloV1], { cwd });
    const graph = await go.ok(["mod", "graph"], { cwd });
    assert.doesNotMatch(graph.output, /deprecated/i);
    assert.match(graph.stdout, /^main\.test\/m example\.com\/hello@v1\.0\.0$/m);
    const { stdout } = await go.ok(["list", "-m", "-u", "-json", "all"], { cwd });
    assert.match(stdout, /"Deprecated": "use another one\."/);
    assert.match(stdout, /"Retracted": \[\s*"oops"\s*\]/);
    // A retracted version is what it was, for everybody who names it.
    await go.ok(["mod", "download", helloV1], { cwd });
    const before = await go.ok(["list", "-m", "all"], { cwd });
    await go.ok(["get", `${hello}@v1.1.0`], { cwd });
    const after = await go.ok(["list", "-m", "all"], { cwd });
    assert.deepEqual(
      [before.stdout, after.stdout].map((text) => text.split("\n")[1]),
      [`${hello} v1.0.0`, `${hello} v1.1.0`],
    );
  });

  test("go's own words: trace views files, the transport keeps 100 idle connections for 90 s", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const trace = await room.go.ok(["doc", "cmd/trace"]);
    assert.match(trace.stdout, /tool for viewing trace files/);
    const transport = await room.go.ok(["doc", "-src", "net/http.DefaultTransport"]);
    const perHost = await room.go.ok(["doc", "net/http.DefaultMaxIdleConnsPerHost"]);
    assert.match(perHost.stdout, /DefaultMaxIdleConnsPerHost = 2\b/);
    assert.match(transport.stdout, /MaxIdleConns:\s+100,\s+IdleConnTimeout:\s+90 \* time\.Second/);
  });

  test("netdns tells which resolver is used, and nothing of connections", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub } = room;
    const env = { GODEBUG: "netdns=1", GOPROXY: stub.url.replace("127.0.0.1", "localhost") };
    const { output } = await go.run(["mod", "download", helloV1], { env });
    assert.match(output, /go package net: /);
    assert.doesNotMatch(output, /dial tcp/);
  });

  test("v0 is a release like any other, and a major version needs its suffix", async (t) => {
    const room = await mythRoom(t, { modules: [makeModule({ path: "example.com/young", version: "v0.3.0" })] });
    if (room === undefined) return;
    const { stdout } = await room.go.ok(["list", "-m", "example.com/young@latest"]);
    assert.equal(stdout.trim(), "example.com/young v0.3.0");
    const cwd = await mainModule(room.go, "require example.com/young v3.0.0");
    const { code, output } = await room.go.run(["list", "-m", "all"], { cwd });
    assert.notEqual(code, 0);
    assert.match(output, /version "v3\.0\.0" invalid: should be v0 or v1, not v3/);
  });
});
