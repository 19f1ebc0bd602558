// `granary plan` and `granary prewarm` beside a running server whose upstream is a stub.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { main } from "#app/main.ts";
import type { PlanView, PrewarmView } from "#doors/cli/services.ts";
import { atEnd } from "../support/at-end.ts";
import { makeModule } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const goMod = (path: string, go: string, ...requires: string[]): Record<string, string> => ({
  "go.mod": `module ${path}\n\n${go === "" ? "" : `go ${go}\n`}${requires.map((line) => `require ${line}\n`).join("")}`,
});

/** a (pruned) needs b v1.1.0, which needs c; d (unpruned) needs e, which needs c of a later version. */
const modules = [
  makeModule({
    path: "example.com/a",
    version: "v1.0.0",
    files: goMod("example.com/a", "1.20", "example.com/b v1.1.0"),
  }),
  makeModule({ path: "example.com/b", version: "v1.0.0", files: goMod("example.com/b", "1.20") }),
  makeModule({
    path: "example.com/b",
    version: "v1.1.0",
    files: goMod("example.com/b", "1.20", "example.com/c v1.0.0"),
  }),
  makeModule({ path: "example.com/c", version: "v1.0.0", files: goMod("example.com/c", "1.20") }),
  makeModule({ path: "example.com/c", version: "v1.2.0", files: goMod("example.com/c", "1.20") }),
  makeModule({ path: "example.com/d", version: "v1.0.0", files: goMod("example.com/d", "", "example.com/e v1.0.0") }),
  makeModule({ path: "example.com/e", version: "v1.0.0", files: goMod("example.com/e", "", "example.com/c v1.2.0") }),
  makeModule({ path: "example.com/one", version: "v0.0.0" }),
  makeModule({ path: "corp.example/x", version: "v1.0.0" }),
];

const project = goMod(
  "example.com/main",
  "1.22.3",
  "example.com/a v1.0.0",
  "example.com/b v1.1.0",
  "example.com/d v1.0.0",
);

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
type Setting = World & { readonly folder: string; readonly run: (...args: string[]) => Promise<Ran> };

/** One command line in this process, with nothing of this machine's settings. `onStop` is given what Ctrl-C calls. */
async function command(args: readonly string[], onStop: (stop: () => void) => void = () => undefined): Promise<Ran> {
  const out = { stdout: "", stderr: "" };
  const code = await main(args, {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    isTerminal: false,
    onStop: (stop) => {
      onStop(stop);
      return () => undefined;
    },
    verifyEntry: new URL("file:///nowhere"),
    machine: { env: { GOENV: "off" }, platform: "linux", home: "/nowhere", readFile: (file) => readFile(file, "utf8") },
  });
  return { code, ...out };
}

async function setUp(t: TestContext, files: Readonly<Record<string, string>>, more = {}): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), "granary-prewarm-"));
  const world = await startWorld({ modules, ...more });
  atEnd(t, async () => {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const run = (...args: string[]) => command([...args, `--server=${world.granary.url}`]);
  return { ...world, folder, run };
}

const planOf = (stdout: string): PlanView => JSON.parse(stdout) as PlanView;
const reportOf = (stdout: string): PrewarmView => JSON.parse(stdout) as PrewarmView;

test("plan reads the graph, fetches no zip, and says what is kept", async (t) => {
  const { run, folder, stub, granary } = await setUp(t, project);
  const from = `--from=${join(folder, "go.mod")}`;
  const first = await run("plan", from, "--json");
  assert.equal(first.code, 0, first.stderr);
  const plan = planOf(first.stdout);
  assert.deepEqual(plan.names, ["example.com/main"]);
  assert.deepEqual(
    plan.zips.map(({ module, version, kept, bytes }) => [`${module}@${version}`, kept, bytes]),
    [
      ["example.com/a@v1.0.0", false, undefined],
      ["example.com/b@v1.1.0", false, undefined],
      ["example.com/d@v1.0.0", false, undefined],
    ],
  );
  // a, b, d, and behind the unpruned d: e and c.
  assert.deepEqual([plan.goMods.read, plan.goMods.kept], [5, 0]);
  assert.equal(stub.requests(/\.zip$/), 0);
  await (await fetch(`${granary.url}/example.com/a/@v/v1.0.0.zip`)).arrayBuffer();
  const second = planOf((await run("plan", from, "--all", "--json")).stdout);
  const zip = stub.bytes("/example.com/a/@v/v1.0.0.zip");
  assert.deepEqual(
    second.zips.map(({ module, version, kept, bytes }) => [`${module}@${version}`, kept, bytes]),
    [
      ["example.com/a@v1.0.0", true, zip.length],
      ["example.com/b@v1.1.0", false, undefined],
      ["example.com/c@v1.2.0", false, undefined],
      ["example.com/d@v1.0.0", false, undefined],
      ["example.com/e@v1.0.0", false, undefined],
    ],
  );
  assert.deepEqual([second.goMods.read, second.goMods.kept], [5, 5]);
});

test("plan --sizes learns sizes from the configured upstream, and asks it about no private name", async (t) => {
  const files = goMod("example.com/main", "1.22", "example.com/b v1.0.0", "corp.example/x v1.0.0");
  const { folder, stub, granary } = await setUp(t, files);
  const from = `--from=${join(folder, "go.mod")}`;
  const flags = [`--upstream=${stub.url}`, "--private=corp.example/*", `--server=${granary.url}`];
  const plan = planOf((await command(["plan", from, "--sizes", "--json", ...flags])).stdout);
  const zip = stub.bytes("/example.com/b/@v/v1.0.0.zip");
  assert.deepEqual(
    plan.zips.map(({ module, bytes }) => [module, bytes]),
    [
      ["corp.example/x", undefined],
      ["example.com/b", zip.length],
    ],
  );
  assert.equal(stub.requests(/corp\.example.*\.zip$/), 0);
});

test("a module that cannot be had is exit 1, with its code, in plan and in prewarm", async (t) => {
  const { run, folder } = await setUp(t, goMod("example.com/main", "1.16", "example.com/gone v1.0.0"));
  for (const command of ["plan", "prewarm"]) {
    const { code, stdout } = await run(command, `--from=${join(folder, "go.mod")}`, "--json");
    assert.equal(code, 1, stdout);
    const { failures, unreadable } = planOf(stdout);
    assert.deepEqual(
      failures.map(({ what, code: reason }) => [what, reason]),
      [["example.com/gone@v1.0.0", "GRANARY_NOT_FOUND"]],
    );
    assert.deepEqual(unreadable, ["example.com/gone@v1.0.0"]);
  }
});

test("prewarm fills the store by the build list; the same build then needs no upstream", async (t) => {
  const { run, folder, stub } = await setUp(t, project);
  const from = `--from=${join(folder, "go.mod")}`;
  const first = await run("prewarm", from, "--json");
  assert.equal(first.code, 0, first.stderr + first.stdout);
  const report = reportOf(first.stdout);
  // Five go.mod files of the graph, and info and zip of three versions.
  assert.deepEqual([report.files, report.before.answers, report.failures], [11, 11, []]);
  assert.ok(report.before.hits < 11);
  assert.deepEqual([report.after.answers, report.after.hits], [11, 11]);
  assert.equal(stub.requests(/\/c\/.*zip$/), 0);
  await stub.cut();
  const again = reportOf((await run("prewarm", from, "--json")).stdout);
  assert.deepEqual([again.before.hits, again.failures, again.bytes], [11, [], report.bytes]);
  const said = await run("plan", from);
  assert.equal(said.code, 0, said.stdout + said.stderr);
});

test("a workspace is read whole, its directories too", async (t) => {
  const { run, folder } = await setUp(t, {
    "go.work": "go 1.26.0\n\nuse (\n\t./one\n\t./two\n)\n\nreplace example.com/b => ./patched\n",
    "one/go.mod": goMod("example.com/one", "1.22", "example.com/a v1.0.0", "example.com/b v1.1.0")["go.mod"] ?? "",
    "two/go.mod": goMod("example.com/two", "1.22", "example.com/one v0.0.0", "example.com/c v1.0.0")["go.mod"] ?? "",
    "patched/go.mod": goMod("example.com/b", "1.22", "example.com/c v1.2.0")["go.mod"] ?? "",
  });
  const { code, stdout, stderr } = await run("plan", `--from=${join(folder, "go.work")}`, "--json");
  assert.equal(code, 0, stderr + stdout);
  const plan = planOf(stdout);
  assert.deepEqual(plan.names, ["example.com/one", "example.com/two"]);
  assert.deepEqual(
    plan.zips.map(({ module, version }) => `${module}@${version}`),
    ["example.com/a@v1.0.0", "example.com/c@v1.2.0"],
  );
  assert.deepEqual(plan.directories, ["example.com/b@v1.1.0"]);
});

test("prewarm by go.sum, list and folder asks for what they name and nothing else", async (t) => {
  const hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  const { run, folder, stub } = await setUp(t, {
    "go.sum": `example.com/a v1.0.0 ${hash}\nexample.com/b v1.0.0/go.mod ${hash}\n`,
    "list.txt": "# nightly\nexample.com/c@v1.2.0\n",
    "proxy/example.com/d/@v/v1.0.0.mod": "",
    "proxy/example.com/e/@v/v1.0.0.zip": "",
    "proxy/example.com/e/@v/list": "",
  });
  const zips = async (name: string): Promise<string[]> => {
    const { code, stderr, stdout } = await run("prewarm", `--from=${join(folder, name)}`);
    assert.equal(code, 0, stderr + stdout);
    return [...stub.counts().keys()].filter((path) => path.endsWith(".zip")).sort();
  };
  assert.deepEqual(await zips("go.sum"), ["/example.com/a/@v/v1.0.0.zip"]);
  assert.equal(stub.requests("/example.com/b/@v/v1.0.0.mod"), 1);
  assert.equal((await zips("list.txt")).length, 2);
  assert.equal((await zips("proxy")).length, 3);
  assert.equal(stub.requests("/example.com/d/@v/v1.0.0.mod"), 1);
});

test("--platform adds the toolchain that the go line names", async (t) => {
  const { run, folder, stub } = await setUp(t, project);
  const { code, stdout } = await run("prewarm", `--from=${join(folder, "go.mod")}`, "--platform=linux/amd64", "--json");
  // The stub has no toolchain.
  assert.equal(code, 1);
  assert.deepEqual(
    reportOf(stdout).failures.map(({ what }) => what),
    ["golang.org/toolchain@v0.0.1-go1.22.3.linux-amd64"],
  );
  assert.ok(stub.requests(/golang\.org\/toolchain/) > 0);
});

test("top:N asks for what another server's readers asked most", async (t) => {
  const busy = await setUp(t, {});
  const { granary, stub } = await setUp(t, {});
  const get = async (path: string, method = "GET") => {
    await (await fetch(busy.granary.url + path, { method })).arrayBuffer();
  };
  for (let times = 0; times < 3; times++) await get("/example.com/c/@v/v1.2.0.zip");
  await get("/example.com/b/@v/v1.0.0.zip");
  await get("/example.com/b/@v/v1.0.0.zip");
  await get("/example.com/a/@v/v1.0.0.zip");
  // Neither a go.mod nor a HEAD is a build's zip.
  for (let times = 0; times < 9; times++) await get("/example.com/d/@v/v1.0.0.mod");
  for (let times = 0; times < 9; times++) await get("/example.com/a/@v/v1.0.0.zip", "HEAD");
  const top = (await (await fetch(`${busy.granary.url}/-/api/top/2`)).json()) as { top: { count: number }[] };
  assert.deepEqual(
    top.top.map(({ count }) => count),
    [3, 2],
  );
  const flags = ["--from=top:2", `--of=${busy.granary.url}`, `--server=${granary.url}`];
  const { code, stderr } = await command(["prewarm", ...flags]);
  assert.equal(code, 0, stderr);
  const zips = [...stub.counts().keys()].filter((path) => path.endsWith(".zip"));
  assert.deepEqual(zips.sort(), ["/example.com/b/@v/v1.0.0.zip", "/example.com/c/@v/v1.2.0.zip"]);
  for (const bad of ["0", "x", "99999", "1/2", ""])
    assert.notEqual((await fetch(`${granary.url}/-/api/top/${bad}`)).status, 200, bad);
});

test("credentials go out only when they are named, and never where anybody can read them", async (t) => {
  const { folder } = await setUp(t, { "list.txt": "corp.example/x@v1.0.0\n", token: "grn_00000000_secret\n" });
  const seen = new Set<string | undefined>();
  const server = createServer((request, response) => {
    seen.add(request.headers.authorization);
    if (request.url === "/-/api/status") response.end('{"mode":"go","upstreams":[]}');
    else response.writeHead(401).end("GRANARY_UNAUTHORIZED: corp.example/x needs a token.\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ["prewarm", `--from=${join(folder, "list.txt")}`, "--json"];
  const token = `--token=file:${join(folder, "token")}`;
  const without = await command([...args, `--server=${url}`]);
  assert.deepEqual([without.code, codesOf(without.stdout)], [1, ["GRANARY_UNAUTHORIZED"]]);
  assert.deepEqual([...seen], [undefined]);
  seen.clear();
  const withToken = await command([...args, `--server=${url}`, token]);
  assert.deepEqual([...seen], ["Bearer grn_00000000_secret"]);
  assert.ok(!`${withToken.stdout}${withToken.stderr}`.includes("secret"));
  const open = await command([...args, "--server=http://granary.example", token]);
  assert.deepEqual([open.code, open.stderr.includes("GRANARY_TOKEN_NEEDS_TLS")], [3, true]);
  assert.equal((await command([...args, `--server=${url}`, "--token=plain"])).code, 2);
});

function codesOf(stdout: string): string[] {
  return [...new Set(reportOf(stdout).failures.map(({ code }) => code))];
}

test("what cannot be read is exit 2 with its place, a server that is not there is exit 3", async (t) => {
  const { run, folder } = await setUp(t, {
    "bad.mod": "module\n",
    "bad.txt": "example.com/a@v1.0.0\nnonsense\n",
    ...project,
  });
  const usage: readonly (readonly [string[], string])[] = [
    [["plan", `--from=${join(folder, "none.mod")}`], "GRANARY_INPUT_UNREADABLE"],
    [["plan", `--from=${join(folder, "bad.mod")}`], "GRANARY_INPUT_UNREADABLE"],
    [["prewarm", `--from=${join(folder, "bad.txt")}`], "bad.txt:2"],
    [["prewarm", `--from=${folder}`], "GRANARY_INPUT_UNREADABLE"],
    [["prewarm"], "GRANARY_BAD_USAGE"],
    [["prewarm", "--from=top:0"], "GRANARY_BAD_FLAG"],
    [["prewarm", `--from=${join(folder, "go.mod")}`, "--jobs=0"], "GRANARY_BAD_FLAG"],
    [["prewarm", `--from=${join(folder, "go.mod")}`, "--platform=linux"], "GRANARY_BAD_FLAG"],
    [["prewarm", `--from=${join(folder, "bad.txt")}`, "--platform=linux/amd64"], "GRANARY_BAD_FLAG"],
    [["prewarm", `--from=${join(folder, "go.mod")}`, "--of=http://127.0.0.1:1"], "GRANARY_BAD_FLAG"],
  ];
  for (const [args, hint] of usage) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 2, `${args.join(" ")}\n${stderr}`);
    assert.ok(stderr.includes(hint), stderr);
  }
  const nobody = await command(["plan", `--from=${join(folder, "go.mod")}`, "--server=http://127.0.0.1:1"]);
  assert.deepEqual([nobody.code, nobody.stderr.includes("GRANARY_TARGET_UNREACHABLE")], [3, true]);
});

test("a server that is no Granary is said to be none", async (t) => {
  const { folder, stub } = await setUp(t, project);
  const asked = await command(["plan", `--from=${join(folder, "go.mod")}`, `--server=${stub.url}`]);
  assert.deepEqual([asked.code, asked.stderr.includes("GRANARY_SERVER_REFUSED")], [3, true]);
});

test("a stopped prewarm tells what it did and keeps it", async (t) => {
  const { folder, stub, granary } = await setUp(t, project);
  stub.fault(/\.zip$/, { kind: "stall", after: 10 });
  let stop = (): void => undefined;
  const args = ["prewarm", `--from=${join(folder, "go.mod")}`, "--json", `--server=${granary.url}`];
  const ended = command(args, (given) => (stop = given));
  while (stub.requests(/\.zip$/) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  stop();
  const { code, stdout } = await ended;
  assert.equal(code, 130);
  const report = reportOf(stdout);
  assert.equal(report.wasInterrupted, true);
  assert.ok(report.before.answers >= 5);
});
