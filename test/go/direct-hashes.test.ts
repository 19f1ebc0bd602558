// Whether a module that Granary builds from its repository is, bit for bit, what a plain go makes of it with
// GOPROXY=direct: hashes, versions, refusals. CI takes a sample; LONG=1 all of them, and prints the table.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld } from "../support/direct-world.ts";
import { startProxyTo } from "../support/git-host.ts";
import { makeRepository } from "../support/git-repository.ts";
import { makeZoo } from "../support/git-zoo.ts";
import type { Beast } from "../support/git-zoo.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient } from "../support/go.ts";

const isLong = process.env["LONG"] !== undefined;
/** Beasts, of 15 kinds in turn; the sample takes the first one of some kinds. */
const count = isLong ? 120 : 15;
const sampled: ReadonlySet<string> = new Set([
  "/vN in a folder",
  ".gitattributes",
  "nested modules",
  "case clashes",
  "before modules",
  "odd go.mod",
]);
const seed = 20_240_101;

type Got = { readonly version: string; readonly sum: string; readonly modSum: string; readonly error: string };

/** What `go mod download` made of each question, by question. */
async function download(go: GoClient, asks: readonly string[]): Promise<ReadonlyMap<string, Got>> {
  const got = new Map<string, Got>();
  for (let at = 0; at < asks.length; at += batch) {
    const some = asks.slice(at, at + batch);
    const { stdout, output } = await go.run(["mod", "download", "-json", ...some]);
    const objects = parseObjects(stdout);
    for (const ask of some) {
      const [path = "", wanted = ""] = ask.split("@");
      const found = objects.find(({ Path, Version, Query }) => Path === path && (Query ?? Version) === wanted);
      assert.ok(found !== undefined, `go said nothing of ${ask}:\n${output}`);
      got.set(ask, {
        version: found.Version ?? "",
        sum: found.Sum ?? "",
        modSum: found.GoModSum ?? "",
        error: found.Error ?? "",
      });
    }
  }
  return got;
}

/** Questions of one go command; it asks ten at a time. */
const batch = 40;

type Download = { Path?: string; Version?: string; Query?: string; Sum?: string; GoModSum?: string; Error?: string };

/** Objects one after another, as go prints them. */
function parseObjects(text: string): readonly Download[] {
  return text
    .split(/^(?=\{$)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as Download);
}

/** Tagged versions as go finds them in the repositories, by module. */
async function versions(go: GoClient, modules: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const format = "{{.Path}} {{range .Versions}}{{.}} {{end}}";
  const queries = modules.map((path) => `${path}@latest`);
  const { stdout } = await go.run(["list", "-m", "-e", "-versions", "-retracted", "-f", format, ...queries]);
  return new Map(
    stdout
      .trim()
      .split("\n")
      .map((line) => [line.split(" ")[0] ?? "", line.trim().split(" ").slice(1).join(" ")]),
  );
}

/** The same as a proxy's list has it: a client needs no version's file to be told that there is one. */
async function listed(granary: string, modules: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const list = async (path: string): Promise<readonly [string, string]> => {
    const response = await fetch(`${granary}/${path}/@v/list`);
    const text = await response.text();
    return [path, response.status === 200 ? text.trim().split("\n").join(" ") : response.status === 404 ? "" : text];
  };
  const all: (readonly [string, string])[] = [];
  for (const path of modules) all.push(await list(path));
  return new Map(all);
}

test(
  "every repository of the zoo: the same hashes, versions and refusals as with GOPROXY=direct",
  { timeout: isLong ? 1_500_000 : 280_000 },
  async (t) => {
    const tool = await needsGo(t);
    if (tool === undefined) return;
    const world = await directWorld({ isOpen: true });
    if (world === undefined) {
      skipLoudly(t, "no `openssl` on PATH");
      return;
    }
    atEnd(t, () => world.close());
    const zoo = makeZoo(corpHost, count, seed).filter(({ kind }) => isLong || sampled.has(kind));
    for (const beast of zoo) await makeRepository(join(world.repositories, beast.name), beast.commits);
    const proxy = await startProxyTo(world.host.address);
    atEnd(t, () => proxy.close());
    const granary = await world.start({
      place: `    address: ${world.host.address}\n    ca: ${world.certificate.cert}`,
    });
    const plain = await newGoClient(tool, {
      GOPROXY: "direct",
      GOVCS: "*:git",
      HTTPS_PROXY: proxy.url,
      NO_PROXY: "",
      SSL_CERT_FILE: world.certificate.cert,
      GIT_SSL_CAINFO: world.certificate.cert,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
    });
    atEnd(t, () => plain.remove());
    const through = await newGoClient(tool, { GOPROXY: granary.url, GOSUMDB: world.verifierKey });
    atEnd(t, () => through.remove());

    const asks = zoo.flatMap((beast) => beast.asks);
    const wanted = await download(plain, asks);
    const got = await download(through, asks);
    const modules = zoo.flatMap((beast) => beast.modules);
    const wantedVersions = await versions(plain, modules);
    const gotVersions = await listed(granary.url, modules);

    const differences: string[] = [];
    for (const ask of asks) {
      const [plainly, here] = [wanted.get(ask), got.get(ask)];
      if (plainly === undefined || here === undefined) continue;
      const isSame = plainly.error !== "" ? here.error !== "" : here.error === "" && facts(plainly) === facts(here);
      if (!isSame)
        differences.push(
          `${ask}\n  direct  ${facts(plainly)} ${plainly.error}\n  granary ${facts(here)} ${here.error}`,
        );
    }
    for (const path of modules)
      if (wantedVersions.get(path) !== gotVersions.get(path))
        differences.push(`${path}\n  direct  ${wantedVersions.get(path)}\n  granary ${gotVersions.get(path)}`);
    if (isLong) process.stdout.write(table(zoo, wanted, differences));
    assert.deepEqual(differences, [], differences.join("\n"));
    assert.ok(
      [...wanted.values()].filter(({ error }) => error === "").length > asks.length / 2,
      "hardly anything could be had",
    );
  },
);

function facts({ version, sum, modSum }: Got): string {
  return `${version} ${sum} ${modSum}`;
}

/** One row per kind. */
function table(zoo: readonly Beast[], wanted: ReadonlyMap<string, Got>, differences: readonly string[]): string {
  const rows = [...new Set(zoo.map(({ kind }) => kind))].map((kind) => {
    const beasts = zoo.filter((beast) => beast.kind === kind);
    const asks = beasts.flatMap((beast) => beast.asks);
    const refused = asks.filter((ask) => wanted.get(ask)?.error !== "").length;
    const differing = differences.filter((text) =>
      beasts.some(({ name }) => new RegExp(`/${name}[/@\\n]`).test(text)),
    ).length;
    return `| ${kind} | ${beasts.length} | ${asks.length - refused} | ${refused} | ${differing} |`;
  });
  const head = "| what decides | repositories | versions, same h1 and go.mod hash | refused by both | differences |";
  return `\n${head}\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}
