import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { settingsOf } from "#services/environment/settings.ts";
import { atEnd } from "../../test/support/at-end.ts";
import { explainPorts, readSurroundings } from "./environment.ts";
import type { Machine } from "./go-env.ts";

/** A home with a go env file and a netrc, and a go behind a link. */
async function home(t: TestContext): Promise<{ folder: string; machine: (env?: Record<string, string>) => Machine }> {
  const folder = await mkdtemp(join(tmpdir(), "granary-environment-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const goroot = join(folder, "lib/go-1.24");
  await mkdir(join(goroot, "bin"), { recursive: true });
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, ".config/go"), { recursive: true });
  await writeFile(join(goroot, "bin/go"), "");
  await chmod(join(goroot, "bin/go"), 0o755);
  await symlink(join(goroot, "bin/go"), join(folder, "bin/go"));
  await writeFile(join(goroot, "VERSION"), "go1.24.9\ntime 2025-10-13T15:09:27Z\n");
  await writeFile(join(goroot, "go.env"), "GOPROXY=https://distribution.example,direct\nGOTOOLCHAIN=local\n");
  await writeFile(join(folder, ".config/go/env"), "GOPRIVATE=corp.example\n");
  await writeFile(join(folder, ".netrc"), "machine a.example login u password p\n");
  const read = async (path: string): Promise<string | undefined> => await readFile(path, "utf8").catch(() => undefined);
  const machine = (env: Record<string, string> = {}): Machine => ({
    env: { HOME: folder, PATH: join(folder, "bin"), ...env },
    platform: "linux",
    home: folder,
    readFile: read,
  });
  return { folder, machine };
}

suite("readSurroundings()", () => {
  test("finds the go behind a link, its version and its go.env, without running it", async (t) => {
    const { folder, machine } = await home(t);
    const seen = await readSurroundings(machine());
    assert.equal(seen.go?.version, "1.24.9");
    assert.equal(seen.go.goroot, join(folder, "lib/go-1.24"));
    const { all, version } = settingsOf(seen);
    assert.equal(version, "1.24.9");
    assert.deepEqual(all.GOPROXY.place, { kind: "goroot-file", path: join(folder, "lib/go-1.24/go.env"), line: 1 });
    assert.deepEqual(all.GONOPROXY.value, "corp.example");
    assert.equal(seen.netrc.kind, "text");
  });

  test("without a go there is no version, and everything else all the same", async (t) => {
    const { machine } = await home(t);
    const seen = await readSurroundings(machine({ PATH: "/nonexistent" }));
    assert.equal(seen.go, undefined);
    assert.equal(settingsOf(seen).all.GOPRIVATE.value, "corp.example");
  });

  test("without HOME there is no go env file, and the variable that is missing is named", async (t) => {
    const { machine } = await home(t);
    const seen = await readSurroundings(machine({ HOME: "" }));
    assert.deepEqual(seen.userFile, { kind: "nowhere", missing: "HOME" });
  });

  test("a file that cannot be read is said to be", async (t) => {
    const { machine } = await home(t);
    const readFile = (): Promise<string> => Promise.reject(new Error("EACCES"));
    const seen = await readSurroundings({ ...machine(), readFile });
    assert.equal(seen.userFile.kind, "unreadable");
  });
});

suite("the HTTP proxy of a hop", () => {
  const cases = [
    ["https://a.example/x", { HTTPS_PROXY: "socks5://p" }, "socks5://p"],
    ["http://a.example/x", { HTTPS_PROXY: "http://p" }, undefined],
    ["https://a.example/x", { HTTPS_PROXY: "http://p", NO_PROXY: ".example" }, undefined],
    ["https://a.example/x", { https_proxy: "http://p", no_proxy: "a.example:8443" }, "http://p"],
    ["https://127.0.0.1/x", { HTTPS_PROXY: "http://p" }, undefined],
  ] as const;
  for (const [url, env, want] of cases)
    test(`${url} ${JSON.stringify(env)}`, async (t) => {
      const { machine } = await home(t);
      assert.equal(explainPorts.viaOf(url, settingsOf(await readSurroundings(machine(env)))), want);
    });
});
