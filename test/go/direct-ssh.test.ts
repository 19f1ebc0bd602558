// Repositories over SSH from a real OpenSSH server: each place with its deploy key, the host known by its key, on a port
// of its own; and no other host, with no other key.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld } from "../support/direct-world.ts";
import type { DirectWorld } from "../support/direct-world.ts";
import { makeRepository } from "../support/git-repository.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { makeSshKey, startSshd } from "../support/sshd.ts";
import type { Sshd } from "../support/sshd.ts";

const patient = { timeout: 240_000 };

type Scene = {
  readonly tool: GoTool;
  readonly world: DirectWorld;
  readonly sshd: Sshd;
  /** The private key that may read below team/ or other/. */
  readonly keys: Readonly<Record<"team" | "other", string>>;
  /** A known_hosts file with these lines. */
  known(name: string, lines: string): Promise<string>;
  /** Lines of the host's own place: where its pages are. */
  readonly pages: string;
};

async function scene(t: TestContext, tag?: (sshd: Sshd) => string): Promise<Scene | undefined> {
  const tool = await needsGo(t);
  if (tool === undefined) return undefined;
  const started: { sshd?: Sshd } = {};
  const world = await directWorld({
    isOpen: true,
    before: (request, response) => {
      if (tag === undefined || started.sshd === undefined || request.url?.includes("go-get=1") !== true) return false;
      const content = `${corpHost}/team/hello git ${tag(started.sshd)}`;
      response.end(`<html><head><meta name="go-import" content="${content}"></head></html>`);
      return true;
    },
  });
  if (world === undefined) {
    skipLoudly(t, "no `openssl` on PATH");
    return undefined;
  }
  atEnd(t, () => world.close());
  const { folder, repositories: root } = world;
  for (const name of ["team", "other"])
    await makeRepository(join(root, name, "hello"), [
      { files: { "go.mod": `module ${corpHost}/${name}/hello\n`, "a.go": "package hello\n" }, tags: ["v1.0.0"] },
    ]);
  const [team = "", other = ""] = await Promise.all(["team", "other"].map((name) => makeSshKey(folder, `${name}_key`)));
  const publicOf = async (file: string): Promise<string> => (await readFile(`${file}.pub`, "utf8")).trim();
  const sshd =
    team === "" || other === ""
      ? "no `ssh-keygen` on PATH"
      : await startSshd(t, {
          folder,
          root,
          keys: [
            [await publicOf(team), "team"],
            [await publicOf(other), "other"],
          ],
        });
  if (typeof sshd === "string") {
    skipLoudly(t, sshd);
    return undefined;
  }
  started.sshd = sshd;
  const known = async (name: string, lines: string): Promise<string> => {
    await writeFile(join(folder, name), `${lines}\n`);
    return join(folder, name);
  };
  const pages = `    address: ${world.host.address}\n    ca: ${world.certificate.cert}`;
  return { tool, world, sshd, keys: { team, other }, known, pages };
}

function sshPlace(prefix: string, { sshd }: Scene, files: { readonly key: string; readonly known: string }): string {
  return `  ${prefix}:\n    user: ${sshd.user}\n    sshKey: ${files.key}\n    knownHosts: ${files.known}\n    sshAddress: 127.0.0.1:${sshd.port}\n`;
}

async function download(at: Scene, url: string, what: string): Promise<{ code: number; output: string }> {
  const go = await newGoClient(at.tool, { GOPROXY: url, GOSUMDB: "off" });
  try {
    const { code, output } = await go.run(["mod", "download", "-json", what]);
    return { code, output };
  } finally {
    await go.remove();
  }
}

test("places of one host are read over SSH, each with its own key, on a port of its own", patient, async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const { world, sshd, keys } = at;
  const known = await at.known("known_hosts", `${corpHost} ${sshd.hostKey}`);
  const granary = await world.start({
    place: at.pages,
    more:
      sshPlace(`${corpHost}/team`, at, { key: keys.team, known }) +
      sshPlace(`${corpHost}/other`, at, { key: keys.other, known }),
  });
  for (const name of ["team", "other"]) {
    const { code, output } = await download(at, granary.url, `${corpHost}/${name}/hello@v1.0.0`);
    assert.equal(code, 0, `${output}\n${sshd.said()}`);
    assert.match(output, /"Sum": "h1:/);
  }
  assert.ok(!world.host.requests.some((line) => line.includes("upload-pack")), "git was not spoken over https");
});

test("with the key of another place, the server's own words say so", patient, async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const known = await at.known("known_hosts", `${corpHost} ${at.sshd.hostKey}`);
  const granary = await at.world.start({
    place: at.pages,
    more: sshPlace(`${corpHost}/team`, at, { key: at.keys.other, known }),
  });
  const { code, output } = await download(at, granary.url, `${corpHost}/team/hello@v1.0.0`);
  assert.notEqual(code, 0);
  assert.match(output, /502 Bad Gateway/);
  assert.match(output, /this key may not read team\/hello/);
});

test("a host with another key than the known one is refused, and so is one that is not known", patient, async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const { world, keys } = at;
  const wrong = (await makeSshKey(world.folder, "wrong_host")) ?? "";
  const wrongKey = (await readFile(`${wrong}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
  for (const [name, line] of [
    ["wrong", `${corpHost} ${wrongKey}`],
    ["unknown", `elsewhere.example ${at.sshd.hostKey}`],
  ] as const) {
    const known = await at.known(`known_${name}`, line);
    const granary = await world.start({
      place: at.pages,
      more: sshPlace(`${corpHost}/team`, at, { key: keys.team, known }),
    });
    const { code, output } = await download(at, granary.url, `${corpHost}/team/hello@v1.0.0`);
    assert.notEqual(code, 0);
    assert.match(output, /502 Bad Gateway/);
    assert.match(output, /Host key verification failed/);
    await granary.stop();
  }
  assert.doesNotMatch(at.sshd.said(), /Accepted publickey/);
});

test("a page that leads to an SSH host without a place is refused, and nobody connects there", patient, async (t) => {
  const at = await scene(t, (sshd) => `ssh://${sshd.user}@127.0.0.1:${sshd.port}/team/hello`);
  if (at === undefined) return;
  const { world, sshd, keys } = at;
  const known = await at.known("known_hosts", `${corpHost} ${sshd.hostKey}\n[127.0.0.1]:${sshd.port} ${sshd.hostKey}`);
  const granary = await world.start({
    place: at.pages,
    more: sshPlace(`${corpHost}/team`, at, { key: keys.team, known }),
  });
  const { code, output } = await download(at, granary.url, `${corpHost}/team/hello@v1.0.0`);
  assert.notEqual(code, 0);
  assert.match(
    output,
    /leads to \\"ssh:\/\/xxxxx@127\.0\.0\.1:\d+\/team\/hello\\", and ssh is not spoken with that host/,
  );
  assert.equal(sshd.connections(), 0);
});

test("a repository whose place says its ssh URL, with a port in it, is asked for there", patient, async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const { world, sshd, keys } = at;
  const known = await at.known("known_hosts", `ssh.corp.example ${sshd.hostKey}`);
  const granary = await world.start({
    place: at.pages,
    more:
      `  ${corpHost}/team/hello:\n    url: ssh://${sshd.user}@ssh.corp.example:${sshd.port}/team/hello\n` +
      `    sshKey: ${keys.team}\n    knownHosts: ${known}\n    sshAddress: 127.0.0.1\n`,
  });
  const { code, output } = await download(at, granary.url, `${corpHost}/team/hello@v1.0.0`);
  assert.equal(code, 0, `${output}\n${sshd.said()}`);
  assert.deepEqual(world.host.requests, [], "nobody was asked where it is");
});
