// git:// has neither a secret nor a signature: whoever sits on the way says what a module is. A go-import tag that leads
// to a real git daemon is refused at the go client, and nobody connects to the daemon.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld } from "../support/direct-world.ts";
import { git, makeRepository } from "../support/git-repository.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import { freePort } from "../support/loopback.ts";

type Daemon = { readonly port: number; connections(): number };

/** A real `git daemon` on a free port of the loopback that serves what lies in `root`; undefined where git has none. */
async function startDaemon(t: TestContext, root: string): Promise<Daemon | undefined> {
  const port = await freePort();
  const args = ["daemon", "--listen=127.0.0.1", `--port=${port}`, "--reuseaddr", "--export-all", "--verbose"];
  const child = spawn("git", [...args, "--log-destination=stderr", `--base-path=${root}`], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: root,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
    },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  atEnd(t, () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  while (!said.includes("Ready to rumble")) {
    if (said.includes("is not a git command")) return undefined;
    assert.equal(child.exitCode, null, said);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, connections: () => said.split("Connection from").length - 1 };
}

test(
  "a go-import tag that leads to a git daemon is refused, and nobody connects to it",
  { timeout: 240_000 },
  async (t) => {
    const tool = await needsGo(t);
    if (tool === undefined) return;
    let tagged = "";
    const world = await directWorld({
      isOpen: true,
      before: (request, response) => {
        if (request.url?.includes("go-get=1") !== true) return false;
        const tag = `<meta name="go-import" content="${corpHost}/team/hello git ${tagged}">`;
        response.end(`<html><head>${tag}</head></html>`);
        return true;
      },
    });
    if (world === undefined) {
      skipLoudly(t, "no `openssl` on PATH");
      return;
    }
    atEnd(t, () => world.close());
    await makeRepository(join(world.repositories, "team/hello"), [
      { files: { "go.mod": `module ${corpHost}/team/hello\n`, "a.go": "package hello\n" }, tags: ["v1.0.0"] },
    ]);
    const daemon = await startDaemon(t, world.repositories);
    if (daemon === undefined) {
      skipLoudly(t, "git has no `daemon`");
      return;
    }
    const granary = await world.start({ more: "direct:\n  cidrs: [127.0.0.0/8]\n" });
    const go = await newGoClient(tool, { GOPROXY: granary.url, GOSUMDB: "off" });
    atEnd(t, () => go.remove());

    const url = `git://127.0.0.1:${daemon.port}/team/hello`;
    assert.match(await git(world.folder, ["ls-remote", url]), /refs\/tags\/v1\.0\.0/, "it is there, and answers");
    const before = daemon.connections();
    assert.ok(before > 0, "its connections are counted");
    for (const repository of [url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", corpHost)]) {
      tagged = repository;
      const { code, output } = await go.run(["mod", "download", `${corpHost}/team/hello@v1.0.0`]);
      assert.notEqual(code, 0);
      assert.match(output, /502 Bad Gateway/);
      assert.match(output, /GRANARY_DIRECT_FAILED/);
      assert.ok(output.includes(`leads to "${repository}", and git is not spoken with that host`), output);
    }
    assert.equal(daemon.connections(), before);
  },
);
