import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { UpstreamClient, UpstreamEndpoint } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { unprivileged } from "../../../test/support/unprivileged.ts";
import { FileUpstreamClient } from "./file.ts";
import { anyUpstreamClient } from "./select.ts";

async function tree(t: TestContext): Promise<{ readonly dir: string; readonly at: UpstreamEndpoint }> {
  const outer = await mkdtemp(join(tmpdir(), "granary-file-"));
  atEnd(t, () => rm(outer, { recursive: true }));
  const dir = join(outer, "a dir");
  await mkdir(join(dir, "m.test/!x/@v"), { recursive: true });
  await writeFile(join(outer, "outside"), "secret");
  await writeFile(join(dir, "m.test/!x/@v/list"), "v1.0.0\n");
  await writeFile(join(dir, "m.test/!x/@v/feat#1.info"), "{}");
  return { dir, at: { name: "disk", url: pathToFileURL(dir).href, redirectCidrs: [] } };
}

const client = new FileUpstreamClient();
type More = { maxBytes?: number; signal?: AbortSignal; headers?: Record<string, string> };
const get = (at: UpstreamEndpoint, path: string, more: More = {}) =>
  client.get(at, { path, maxBytes: 1 << 20, signal: new AbortController().signal, ...more });

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const fault = (reason: string) => (error: unknown) => error instanceof UpstreamFault && error.reason === reason;

test("a file is read, its name percent-decoded as cmd/go does", async (t) => {
  const { at } = await tree(t);
  const cases = [
    ["/m.test/!x/@v/list", "v1.0.0\n"],
    ["/m.test/%21x/@v/list", "v1.0.0\n"],
    ["/m.test/!x/@v/feat%231.info", "{}"],
  ] as const;
  for (const [path, want] of cases) {
    const response = await get(at, path);
    assert.equal(response.status, 200);
    assert.equal(response.headers["content-length"], String(want.length));
    assert.equal(await text(response.body), want);
  }
});

const absent = [
  "/m.test/none",
  "/m.test/!x/@v/list/below",
  "/../outside",
  "/%2e%2e/outside",
  "/..%2foutside",
  "//x",
  "/%ff",
  "/%00",
];
for (const path of absent)
  test(`${path} is a 404`, async (t) => {
    const { at } = await tree(t);
    assert.equal((await get(at, path)).status, 404);
  });

test("a forbidden file is a 403", async (t) => {
  const { at, dir } = await tree(t);
  await chmod(join(dir, "m.test/!x/@v/list"), 0);
  const answer = await unprivileged(join(dir, ".."), () => get(at, "/m.test/!x/@v/list"));
  if (answer === undefined) t.skip("LOUD: root reads everything, and cannot become somebody else here");
  else assert.equal(answer.value.status, 403);
});

test("a directory is no answer", async (t) => {
  const { at } = await tree(t);
  await assert.rejects(get(at, "/m.test"), fault("malformed"));
});

test("a file above the cap: too-large; one that shrinks while it is read: truncated; abort: aborted", async (t) => {
  const { at, dir } = await tree(t);
  await assert.rejects(get(at, "/m.test/!x/@v/list", { maxBytes: 6 }), fault("too-large"));
  const response = await get(at, "/m.test/!x/@v/list");
  await truncate(join(dir, "m.test/!x/@v/list"), 3);
  await assert.rejects(text(response.body), fault("truncated"));
  await assert.rejects(get(at, "/m.test/!x/@v/list", { signal: AbortSignal.abort() }), fault("aborted"));
});

test("a cancelled answer may be cancelled again, and is closed", async (t) => {
  const { at } = await tree(t);
  const response = await get(at, "/m.test/!x/@v/list");
  response.cancel();
  response.cancel();
  await new Promise((done) => setImmediate(done));
  await assert.rejects(text(response.body), fault("reset"));
});

test("anyUpstreamClient() chooses by the scheme and closes all", async () => {
  const seen: string[] = [];
  const stub = (name: string): UpstreamClient => ({
    get: (endpoint) => {
      seen.push(`${name} ${endpoint.url}`);
      throw new UpstreamFault(endpoint.name, "refused", name);
    },
    close: () => Promise.resolve(void seen.push(`close ${name}`)),
  });
  const any = anyUpstreamClient({ http: stub("http"), file: stub("file"), direct: stub("direct") });
  const signal = new AbortController().signal;
  for (const url of ["file:///m", "FILE:///m", "https://up.test", "http://file.test", "direct:"])
    assert.throws(
      () => any.get({ name: "x", url, redirectCidrs: [] }, { path: "/", maxBytes: 1, signal }),
      UpstreamFault,
    );
  await any.close();
  assert.deepEqual(seen, [
    "file file:///m",
    "file FILE:///m",
    "http https://up.test",
    "http http://file.test",
    "direct direct:",
    "close http",
    "close file",
    "close direct",
  ]);
});

test("a range from N on is answered with that part, whose length alone counts against the cap", async (t) => {
  const { at } = await tree(t);
  const response = await get(at, "/m.test/!x/@v/list", { headers: { Range: "bytes=3-" }, maxBytes: 4 });
  assert.equal(response.status, 206);
  assert.equal(response.headers["content-range"], "bytes 3-6/7");
  assert.equal(response.headers["content-length"], "4");
  assert.equal(await text(response.body), "0.0\n");
});

test("a range beyond the end is a 416 that says the length", async (t) => {
  const { at } = await tree(t);
  const response = await get(at, "/m.test/!x/@v/list", { headers: { range: "bytes=7-" } });
  assert.equal(response.status, 416);
  assert.equal(response.headers["content-range"], "bytes */7");
});

for (const headers of [
  { range: "bytes=1-2" },
  { range: "bytes=-2" },
  { range: "bytes=1-,3-" },
  { range: "lines=1-" },
  { range: "bytes=3-", "if-range": '"etag"' },
])
  test(`a file comes whole for ${JSON.stringify(headers)}`, async (t) => {
    const { at } = await tree(t);
    const response = await get(at, "/m.test/!x/@v/list", { headers });
    assert.equal(response.status, 200);
    assert.equal(await text(response.body), "v1.0.0\n");
  });
