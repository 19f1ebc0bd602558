import assert from "node:assert/strict";
import { test } from "node:test";
import { checkModuleVersion } from "#protocol/version.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { ServerBroke } from "./ports.ts";
import type { PublishReply, PublishRequest, ZipFile } from "./ports.ts";
import { idempotencyKey, sendModule } from "./send.ts";
import type { Sent } from "./send.ts";

const id = checkModuleVersion("corp.example/Team/m", "v1.2.3");
const h1 = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const sha256 = "0".repeat(64);

type Answer = Omit<Partial<PublishReply>, "status"> & { readonly status: number };

const kept = (status: 200 | 201, more: object = {}): Answer => ({
  status,
  text: JSON.stringify({ module: id.path, version: id.version, h1, ...more }),
});

/** Sends to a server that plays these answers, a lost connection where there is none; time passes by itself. */
async function send(...answers: readonly (Answer | undefined)[]) {
  const clock = new HandClock();
  const requests: PublishRequest[] = [];
  const waits: number[] = [];
  const waiting: typeof clock = Object.assign(Object.create(clock) as typeof clock, {
    sleep: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  let bodies = 0;
  const zip = { body: () => (bodies++, []) as unknown as AsyncIterable<Uint8Array> } as Partial<ZipFile> as ZipFile;
  const server = {
    put: (request: PublishRequest): Promise<PublishReply> => {
      requests.push(request);
      request.body();
      const answer = answers[requests.length - 1] ?? undefined;
      if (answer === undefined) return Promise.reject(new ServerBroke("reset"));
      return Promise.resolve({ headers: {}, text: "", ...answer });
    },
  };
  const use = { server, url: "http://granary", clock: waiting, signal: AbortSignal.timeout(10_000) };
  const parcel = { zip, size: 9, sha256, h1 };
  let outcome: Sent | { readonly code: unknown; readonly fields: unknown };
  try {
    outcome = await sendModule(id, parcel, use);
  } catch (error) {
    const { code, fields } = error as { code: unknown; fields: unknown };
    outcome = { code, fields };
  }
  return { outcome, requests, waits, bodies };
}

const rows: readonly (readonly [string, readonly (Answer | undefined)[], object, readonly number[]])[] = [
  ["new", [kept(201)], { outcome: "new", tries: 1 }, []],
  ["there already", [kept(200)], { outcome: "same", tries: 1 }, []],
  [
    "other content",
    [{ status: 409, text: "GRANARY_X: no\nmore\n" }],
    { outcome: "conflict", said: "GRANARY_X: no\nmore" },
    [],
  ],
  ["a bad zip", [{ status: 422, text: "bad\n" }], { outcome: "refused", said: "bad" }, []],
  [
    "busy, then new",
    [{ status: 503 }, { status: 502 }, { status: 504 }, kept(201)],
    { tries: 4 },
    [1_000, 2_000, 4_000],
  ],
  ["a lost answer, then there", [undefined, kept(200)], { outcome: "same", tries: 2 }, [1_000]],
  ["a server that says when", [{ status: 503, headers: { "retry-after": "7" } }, kept(201)], { tries: 2 }, [7_000]],
  ["a server that says never", [{ status: 429, headers: { "retry-after": "86400" } }, kept(201)], {}, [30_000]],
  ["no token", [{ status: 401, text: "GRANARY_NEEDS_WRITE_TOKEN: x\n" }], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["a public name", [{ status: 403 }], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["a server that cannot PUT", [{ status: 405 }], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["a full store", [{ status: 507 }], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["a redirect", [{ status: 302 }], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["an answer of another zip", [kept(201, { h1: "h1:other" })], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["an answer that is no JSON", [{ status: 200, text: "<html>" }], { code: "GRANARY_SERVER_REFUSED" }, []],
  ["nobody", [], { code: "GRANARY_TARGET_UNREACHABLE" }, [1_000, 2_000, 4_000, 8_000]],
  [
    "busy for ever",
    Array.from({ length: 9 }, () => ({ status: 503 })),
    { code: "GRANARY_SERVER_REFUSED" },
    [1_000, 2_000, 4_000, 8_000],
  ],
];

for (const [what, answers, want, pauses] of rows)
  test(`sendModule(): ${what}`, async () => {
    const { outcome, requests, waits, bodies } = await send(...answers);
    assert.partialDeepStrictEqual(outcome, want);
    assert.deepEqual(waits, pauses);
    assert.equal(requests.length, pauses.length + 1);
    // Each try is the same request, with the whole body.
    assert.equal(bodies, requests.length);
    for (const { target, idempotencyKey: key, size } of requests)
      assert.deepEqual([target, key, size], ["/corp.example/%21team/m/@v/v1.2.3.zip", idempotencyKey(id, sha256), 9]);
  });

test("idempotencyKey() is of module, version and content", () => {
  const other = checkModuleVersion("corp.example/Team/m", "v1.2.4");
  const keys = [idempotencyKey(id, sha256), idempotencyKey(other, sha256), idempotencyKey(id, "1".repeat(64))];
  assert.equal(new Set(keys).size, 3);
  assert.equal(idempotencyKey(id, sha256), keys[0]);
});

test("sendModule() ends when it is told to", async () => {
  const clock = new HandClock();
  const stop = new AbortController();
  const server = { put: () => Promise.reject(new ServerBroke("reset")) };
  const zip = {} as ZipFile;
  const sent = sendModule(
    id,
    { zip, size: 1, sha256, h1 },
    { server, url: "http://granary", clock, signal: stop.signal },
  );
  stop.abort(new Error("stopped"));
  await assert.rejects(sent, /stopped/);
});
