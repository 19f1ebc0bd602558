// A git server that takes tokens which live for a while, and a GOAUTH command that says them: built by a real go through
// Granary, after the token changed as well. A command that breaks is a clear 502, and nothing that it said is anywhere.
import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld } from "../support/direct-world.ts";
import type { DirectWorld, DirectWorldOptions } from "../support/direct-world.ts";
import { makeRepository } from "../support/git-repository.ts";
import { needsGo, skipLoudly } from "../support/go.ts";

const hello = `${corpHost}/team/hello`;
const other = `${corpHost}/other/hello`;
const patient = { timeout: 240_000 };

/** Says what lies in `answer` (the first time) or `answer-after` (after a refusal), and notes what it was told. */
const command = `#!${process.execPath}
const fs = require("node:fs");
const [folder, url] = process.argv.slice(2);
fs.appendFileSync(folder + "/told", JSON.stringify({ url, input: fs.readFileSync(0, "utf8") }) + "\\n");
const how = fs.readFileSync(folder + "/how", "utf8");
if (how === "hang") setInterval(() => 0, 1000);
else if (how === "flood") for (;;) fs.writeSync(1, "t0p-secret ".repeat(9999));
else if (how === "fail") { console.error("t0p-secret"); process.exit(7); }
else process.stdout.write(fs.readFileSync(folder + (url === undefined ? "/answer" : "/answer-after")));
`;

type Scene = {
  readonly world: DirectWorld;
  /** Authorization headers that the host takes now. */
  readonly accepted: Set<string>;
  readonly place: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  told(): Promise<readonly { readonly url?: string; readonly input: string }[]>;
};

async function scene(t: TestContext, options: DirectWorldOptions = {}): Promise<Scene | undefined> {
  if ((await needsGo(t)) === undefined) return undefined;
  const accepted = new Set<string>();
  const world = await directWorld({
    ...options,
    isOpen: true,
    before: (request, response) => {
      if (options.before?.(request, response) === true) return true;
      if (accepted.has(request.headers.authorization ?? "")) return false;
      response.writeHead(401, { "www-authenticate": 'Bearer realm="corp"' }).end("who are you?\n");
      return true;
    },
  });
  if (world === undefined) {
    skipLoudly(t, "no `openssl` on PATH");
    return undefined;
  }
  atEnd(t, () => world.close());
  for (const [name, path] of [
    ["team/hello", hello],
    ["other/hello", other],
  ] as const)
    await makeRepository(join(world.repositories, name), [
      { files: { "go.mod": `module ${path}\n\ngo 1.19\n`, "a.go": "package hello\n" }, tags: ["v1.0.0"] },
      { files: { "a.go": "package hello\n\nconst Word = 2\n" }, tags: ["v1.1.0"] },
      { files: { "a.go": "package hello\n\nconst Word = 3\n" }, tags: ["v1.2.0"] },
    ]);
  const program = join(world.folder, "token");
  await writeFile(program, command);
  await chmod(program, 0o755);
  const write: Scene["write"] = async (files) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(world.folder, name), text);
  };
  await write({ how: "say", told: "", answer: "", "answer-after": "" });
  return {
    world,
    accepted,
    write,
    told: async () =>
      (await readFile(join(world.folder, "told"), "utf8"))
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { input: string }),
    place: [`    address: ${world.host.address}`, `    ca: ${world.certificate.cert}`].join("\n"),
  };
}

const says = (prefix: string, authorization: string): string =>
  `https://${prefix}\n\nAuthorization: ${authorization}\n\n`;
const basic = (token: string): string => `Basic ${Buffer.from(`oauth2:${token}`).toString("base64")}`;
const goauthAt = (place: string, { folder }: DirectWorld): string =>
  `  ${place}:\n    goauth: [${join(folder, "token")}, ${folder}]\n`;

for (const [kind, header] of [
  ["a user and a token", basic],
  ["a bearer token", (token: string) => `Bearer ${token}`],
] as const)
  test(`${kind} of a GOAUTH command reads a repository, and a new one after a refusal`, patient, async (t) => {
    const at = await scene(t);
    if (at === undefined) return;
    const { world, accepted } = at;
    await at.write({ answer: says(`${corpHost}/team`, header("t0p-secret-1")) });
    accepted.add(header("t0p-secret-1"));
    const granary = await world.start({ place: at.place, more: goauthAt(`${corpHost}/team`, world) });
    const zip = async (version: string): Promise<{ readonly status: number; readonly text: string }> => {
      const response = await fetch(`${granary.url}/${hello}/@v/${version}.zip`);
      return { status: response.status, text: response.ok ? "" : await response.text() };
    };
    assert.deepEqual(await zip("v1.0.0"), { status: 200, text: "" });
    assert.deepEqual(await at.told(), [{ input: "" }], "once, without arguments, told nothing");

    // The token has had its day. The command is told which URL was refused, and how.
    accepted.clear();
    accepted.add(header("t0p-secret-2"));
    await at.write({ told: "", "answer-after": says(`${corpHost}/team`, header("t0p-secret-2")) });
    assert.deepEqual(await zip("v1.1.0"), { status: 200, text: "" });
    const [again, ...more] = await at.told();
    assert.deepEqual([again?.url, more], [`https://${hello}?go-get=1`, []]);
    assert.match(
      again?.input ?? "",
      /^HTTP\/1\.1 401 Unauthorized\n(?:.*\n)*www-authenticate: Bearer realm="corp"\n(?:.*\n)*\n$/,
    );

    // And when it has nothing new to say, that is doubt, and no absence.
    accepted.clear();
    const refused = await zip("v1.2.0");
    assert.equal(refused.status, 502, refused.text);
    assert.match(refused.text, /go-get=1 answered 401/);
    await granary.stop();
    await isNowhere(at, granary.stdout() + granary.stderr() + refused.text);
  });

test("what a command says of a place is for that place alone", patient, async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const { world, accepted } = at;
  accepted.add("Bearer t0p-secret");
  await at.write({ answer: says(corpHost, "Bearer t0p-secret") });
  const granary = await world.start({ place: at.place, more: goauthAt(`${corpHost}/team`, world) });
  assert.equal((await fetch(`${granary.url}/${hello}/@v/v1.0.0.info`)).status, 200);
  const neighbour = await fetch(`${granary.url}/${other}/@v/v1.0.0.info`);
  assert.equal(neighbour.status, 502, await neighbour.text());
  const shown = world.host.requests.filter((line) => line.includes("t0p-secret"));
  assert.ok(shown.length > 0 && shown.every((line) => line.includes("/team/hello")), shown.join("\n"));
});

test(
  "a repository whose place is told outright is asked before git is, and no redirect carries a header away",
  patient,
  async (t) => {
    const seen: string[] = [];
    const at = await scene(t, {
      hosts: ["elsewhere.corp.example"],
      before: (request, response) => {
        seen.push(`${request.headers.host} ${request.url} ${request.headers.authorization ?? ""}`);
        if (request.headers.host !== corpHost || request.url?.startsWith("/moved/") !== true) return false;
        response
          .writeHead(302, { location: `https://elsewhere.corp.example${request.url.slice("/moved".length)}` })
          .end();
        return true;
      },
    });
    if (at === undefined) return;
    const { world, accepted } = at;
    accepted.add("Bearer t0p-secret");
    await at.write({ answer: says(corpHost, "Bearer t0p-secret") });
    const goauth = `    goauth: [${join(world.folder, "token")}, ${world.folder}]\n`;
    const elsewhere = `  elsewhere.corp.example:\n${at.place}\n`;
    const granary = await world.start({
      place: at.place,
      more: `  ${hello}:\n    url: https://${corpHost}/team/hello\n${goauth}  ${other}:\n    url: https://${corpHost}/moved/other/hello\n${goauth}${elsewhere}`,
    });
    const good = await fetch(`${granary.url}/${hello}/@v/v1.0.0.info`);
    assert.equal(good.status, 200, await good.text());
    assert.ok(!seen.some((line) => line.includes("go-get")), "nobody is asked where it is");
    const moved = await fetch(`${granary.url}/${other}/@v/v1.0.0.info`);
    assert.equal(moved.status, 502);
    const text = await moved.text();
    assert.match(text, /leads elsewhere \(302\), where no credentials go/);
    assert.doesNotMatch(text, /t0p-secret/);
    assert.ok(seen.some((line) => line.includes("/moved/") && line.includes("t0p-secret")));
    assert.ok(!seen.some((line) => line.startsWith("elsewhere") && line.includes("t0p-secret")), seen.join("\n"));
  },
);

test("a host that shows its guests' tokens to everybody finds them blotted out here", patient, async (t) => {
  const at = await scene(t, {
    before: (request, response) => {
      const { authorization = "" } = request.headers;
      if (request.url?.includes("go-get=1") !== true || authorization === "") return false;
      const tag = `<meta name="go-import" content="${hello} git https://${corpHost}/-${authorization.split(" ")[1]}">`;
      response.end(`<html><head>${tag}</head></html>`);
      return true;
    },
  });
  if (at === undefined) return;
  await at.write({ answer: says(`${corpHost}/team`, "Bearer t0p-secret") });
  const granary = await at.world.start({ place: at.place, more: goauthAt(`${corpHost}/team`, at.world) });
  const text = await (await fetch(`${granary.url}/${hello}/@v/v1.0.0.info`)).text();
  assert.match(text, /names the repository "https:\/\/git\.corp\.example\/-xxxxx"/);
});

for (const [how, said] of [
  ["fail", /the goauth command of git\.corp\.example\/team gave no credentials: it ended with exit code 7/],
  ["flood", /gave no credentials: more than 1048576 bytes of output/],
  ["hang", /gave no credentials: not done within 20000 ms/],
  ["garbage", /said what go would not read: line 1 is no https URL/],
] as const)
  test(`a command that does this, ${how}, is a clear 502`, patient, async (t) => {
    const at = await scene(t);
    if (at === undefined) return;
    await at.write({ how, answer: "t0p-secret\n\nAuthorization: Bearer t0p-secret\n\n" });
    const granary = await at.world.start({ place: at.place, more: goauthAt(`${corpHost}/team`, at.world) });
    const response = await fetch(`${granary.url}/${hello}/@v/v1.0.0.info`);
    const text = await response.text();
    assert.equal(response.status, 502, text);
    assert.match(text, /GRANARY_DIRECT_FAILED/);
    assert.match(text, said);
    assert.deepEqual(at.world.host.requests, [], "nobody is asked as nobody");
    await granary.stop();
    await isNowhere(at, granary.stdout() + granary.stderr() + text);
  });

/** No token stands in what was said, or in any file of store, logs and runs. */
async function isNowhere({ world }: Scene, said: string): Promise<void> {
  const forms = ["t0p-secret", Buffer.from("oauth2:t0p-secret").toString("base64").slice(0, -4)];
  for (const form of forms) assert.ok(!said.includes(form), said);
  for (const folder of ["store", "logs", "runs"])
    for (const entry of await readdir(join(world.folder, folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    )) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath, entry.name), "latin1");
      for (const form of forms) assert.ok(!text.includes(form), `${entry.parentPath}/${entry.name} holds a token`);
    }
}
