// A server that is killed in the middle of a large zip: the next one on the same store goes on by chunk, as far as what
// lies on the disk is still what came, and whatever it finds there, the client gets the right bytes.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createHash } from "node:crypto";
import { mkdtemp, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { fileOf, moduleOf } from "../support/mirrors.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";
import { startUpstreams } from "../support/world.ts";

const mib = 1 << 20;
const big = moduleOf("example.com/big", 9 * mib);
const path = fileOf(big, "zip");
/** The name of staged bytes in tmp/. */
const bytesFile = /^\d+-[0-9a-f]+-[0-9a-z]+$/;

type Scene = {
  readonly stub: StubUpstream;
  readonly store: string;
  /** `Range` of each request for the zip; "-" for none. */
  readonly ranges: string[];
  /** `If-Range` of those that had one. */
  readonly conditions: string[];
  readonly start: () => Promise<RunningGranary>;
};

async function sceneFor(t: TestContext, { ignoresIfRange = false } = {}): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "granary-restart-"));
  const [ranges, conditions]: [string[], string[]] = [[], []];
  const onRequest = (asked: string, { headers }: IncomingMessage): void => {
    if (asked !== path) return;
    ranges.push(headers.range ?? "-");
    conditions.push(...[headers["if-range"] ?? []].flat());
    if (ignoresIfRange) delete headers["if-range"];
  };
  const { stub, database } = await startUpstreams([big], { onRequest });
  const running: RunningGranary[] = [];
  atEnd(t, async () => {
    for (const granary of running) await granary.stop();
    await stub.close();
    await rm(folder, { recursive: true, force: true });
  });
  const store = join(folder, "store");
  const start = async () => {
    const granary = await startGranary({
      upstream: stub.url,
      sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
      store,
      // Nothing that happens by itself: the zip is asked for when the test asks for it.
      env: {
        GRANARY_PREFETCH: "off",
        GRANARY_LIMITS_DRAIN: "1s",
        GRANARY_UPSTREAM_CLIENT_SILENCE: "60s",
        GRANARY_UPSTREAM_CLIENT_BODY_IDLE_TIMEOUT: "60s",
      },
    });
    running.push(granary);
    return granary;
  };
  return { stub, store, ranges, conditions, start };
}

/** Files in the store's tmp/ that end so. */
async function tempFiles(store: string, ending: RegExp): Promise<string[]> {
  const names = await readdir(join(store, "tmp"));
  return names.filter((name) => ending.test(name)).map((name) => join(store, "tmp", name));
}

/** Starts a server, lets it get a part of the zip, and ends it when the chunks that came are noted. */
async function endAt(
  { stub, store, ranges, start }: Scene,
  { chunks, silentAfter, signal = "SIGKILL" }: { chunks: number; silentAfter: number; signal?: NodeJS.Signals },
): Promise<void> {
  // Made beforehand: an upstream that makes its zip when it is asked is silent for so long that it may be asked again.
  stub.bytes(path);
  stub.fault(path, { kind: "stall", after: silentAfter });
  const granary = await start();
  const asking = fetch(granary.url + path).catch(() => undefined);
  while ((await chunksNoted(store)) < chunks) await passed(20);
  granary.signal(signal);
  await Promise.all([granary.ended, asking]);
  stub.clearFaults();
  assert.ok(ranges.length > 0);
  // What matters is what the next server asks for.
  ranges.length = 0;
}

const killHalfway = (scene: Scene): Promise<void> => endAt(scene, { chunks: 5, silentAfter: 5.5 * mib });

async function chunksNoted(store: string): Promise<number> {
  const [journal] = await tempFiles(store, /\.journal$/).catch(() => []);
  if (journal === undefined) return 0;
  // The server that starts takes over what it found: a journal that was there may be gone.
  const text = await readFile(journal, "utf8").catch(() => "");
  return text.split('{"chunk":').length - 1;
}

/** Makes one chunk wrong in the bytes and in the journal, as if the upstream had sent it so. */
async function makeWrong(store: string, chunk: number): Promise<void> {
  const [bytes] = await tempFiles(store, bytesFile);
  const [journal] = await tempFiles(store, /\.journal$/);
  const file = await open(bytes!, "r+");
  const wrong = Buffer.alloc(mib);
  await file.read(wrong, 0, mib, chunk * mib);
  const hash = sha256(wrong);
  wrong.write("wrong", 77);
  await file.write(wrong, 0, mib, chunk * mib);
  await file.close();
  const text = await readFile(journal!, "utf8");
  assert.ok(text.includes(hash));
  await writeFile(journal!, text.replace(hash, sha256(wrong)));
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function mustHave({ url }: RunningGranary, bytes: Uint8Array): Promise<void> {
  const response = await fetch(url + path);
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, body.subarray(0, 500).toString());
  assert.ok(body.equals(bytes), `${body.length} bytes that are not the right ones`);
}

suite("a server killed in the middle of a large zip", () => {
  test("the next one asks for what is missing, and less than 1.3 times the zip is sent in all", async (t) => {
    const scene = await sceneFor(t);
    const { stub, store, ranges, conditions } = scene;
    const whole = stub.bytes(path);
    assert.ok(whole.length > 8 * mib, String(whole.length));
    await killHalfway(scene);
    const again = await scene.start();
    await mustHave(again, whole);
    assert.deepEqual(ranges, [`bytes=${5 * mib}-`]);
    assert.equal(conditions.length, 1, "the upstream's own strong entity tag");
    const sent = stub.sentBytes;
    assert.ok(sent >= whole.length && sent < 1.3 * whole.length, `${sent} of ${whole.length}`);
    assert.deepEqual(await tempFiles(store, /./), []);
    await again.stop(); // events are written now and then, and at the end
    const events = await readFile(join(store, "state", "events.jsonl"), "utf8");
    assert.match(events, new RegExp(`"module.resumed".*"bytes":${5 * mib}\\b`));
  });

  test("killed twice, it goes on twice", async (t) => {
    const scene = await sceneFor(t);
    const { stub, ranges, start } = scene;
    await killHalfway(scene);
    await endAt(scene, { chunks: 7, silentAfter: 2.5 * mib });
    await mustHave(await start(), stub.bytes(path));
    assert.deepEqual(ranges, [`bytes=${7 * mib}-`]);
  });

  test("a chunk that was damaged on the disk is asked for again, with all that follows", async (t) => {
    const scene = await sceneFor(t);
    await killHalfway(scene);
    const [bytes] = await tempFiles(scene.store, bytesFile);
    const file = await open(bytes!, "r+");
    await file.write("damage", 3 * mib + 77);
    await file.close();
    await mustHave(await scene.start(), scene.stub.bytes(path));
    assert.deepEqual(scene.ranges, [`bytes=${3 * mib}-`]);
  });

  for (const ignoresIfRange of [false, true])
    test(`another length at the upstream now, ${ignoresIfRange ? "If-Range ignored" : "If-Range heeded"}: the whole is taken`, async (t) => {
      const scene = await sceneFor(t, { ignoresIfRange });
      const { stub, ranges } = scene;
      const right = Buffer.from(stub.bytes(path));
      stub.add(moduleOf(big.path, 10 * mib, 2));
      await killHalfway(scene);
      stub.add(big);
      stub.bytes(path);
      await mustHave(await scene.start(), right);
      // Who heeds it sends the whole at once.
      assert.deepEqual(ranges, [`bytes=${5 * mib}-`, ...(ignoresIfRange ? ["-"] : [])]);
    });

  test("bytes that came wrong from the upstream are found in the end, and the whole is asked for", async (t) => {
    const scene = await sceneFor(t);
    const { stub, store, ranges } = scene;
    await killHalfway(scene);
    await makeWrong(store, 3);
    await mustHave(await scene.start(), stub.bytes(path));
    assert.deepEqual(ranges, [`bytes=${5 * mib}-`, "-"]);
  });

  test("a server stopped in good order leaves what it had, too", async (t) => {
    const scene = await sceneFor(t);
    const { stub, ranges, start } = scene;
    await endAt(scene, { chunks: 5, silentAfter: 5.5 * mib, signal: "SIGTERM" });
    await mustHave(await start(), stub.bytes(path));
    assert.deepEqual(ranges, [`bytes=${5 * mib}-`]);
  });
});
