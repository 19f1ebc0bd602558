import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeBucket, judgeDisk } from "./judge.ts";
import { bucketTries } from "#services/store/ports.ts";
import type { BucketSeen, BucketTry, TryOutcome } from "#services/store/ports.ts";

const allGood = Object.fromEntries(bucketTries.map((name) => [name, { is: "good" }])) as Record<BucketTry, TryOutcome>;
const sound: BucketSeen = {
  bucket: "b",
  prefix: "p",
  endpoint: "https://s3.example.com",
  tries: allGood,
  versioning: "off",
  skewMs: 100,
};
const codesOf = (seen: Partial<BucketSeen>) =>
  judgeBucket({ ...sound, ...seen }).findings.map(({ code, severity }) => `${severity} ${code}`);
const withTry = (name: BucketTry, outcome: TryOutcome) => ({ tries: { ...allGood, [name]: outcome } });
const failed = (status: number | undefined, code: string): TryOutcome => ({ is: "failed", status, code, said: "said" });

test("a bucket that does all has only what is worth knowing", () => {
  assert.deepEqual(codesOf({}), ["info S3_UNVERSIONED"]);
  assert.equal(judgeBucket(sound).passed.length, bucketTries.length - 1);
});

const cases: readonly (readonly [string, Partial<BucketSeen>, string])[] = [
  ["create overwrites", withTry("create", { is: "wrong" }), "fail S3_CREATE_OVERWRITES"],
  ["parts overwrite", withTry("parts", { is: "wrong" }), "fail S3_CREATE_OVERWRITES"],
  ["a stale replacement goes through", withTry("stale", { is: "wrong" }), "fail S3_REPLACE_UNGUARDED"],
  ["reads are stale", withTry("read", { is: "wrong" }), "fail S3_STALE_READS"],
  ["removed objects stay", withTry("remove", { is: "wrong" }), "fail S3_STALE_READS"],
  ["a marker blocks", withTry("recreate", { is: "wrong" }), "info S3_MARKER_BLOCKS"],
  ["a marker is replaced", withTry("revive", { is: "wrong" }), "info S3_MARKER_REPLACED"],
  ["links fail", withTry("link", { is: "wrong" }), "warn S3_LINK_FAILS"],
  ["deletes are denied", withTry("remove", failed(403, "AccessDenied")), "fail S3_DENIED"],
  ["the versioning is denied", withTry("versioning", failed(403, "AccessDenied")), "info S3_DENIED"],
  ["the key is unknown", withTry("list", failed(403, "InvalidAccessKeyId")), "fail S3_BAD_KEY"],
  ["there is no bucket", withTry("list", failed(404, "NoSuchBucket")), "fail S3_NO_BUCKET"],
  ["nobody answers", withTry("list", failed(undefined, "ECONNREFUSED")), "fail S3_UNREACHABLE"],
  ["nobody is trusted", withTry("list", failed(undefined, "DEPTH_ZERO_SELF_SIGNED_CERT")), "fail S3_TLS"],
  ["there is no key", withTry("list", failed(undefined, "CredentialsProviderError")), "fail S3_NO_CREDENTIALS"],
  ["conditions are not known", withTry("create", failed(501, "NotImplemented")), "fail S3_UNSUPPORTED"],
  ["clocks differ", { skewMs: -120_000 }, "warn S3_CLOCK"],
  ["there is no TLS", { endpoint: "http://s3.example.com:9000" }, "warn S3_PLAIN_HTTP"],
  ["older versions stay", { versioning: "on" }, "info S3_VERSIONS_STAY"],
];
for (const [what, seen, code] of cases)
  test(`when ${what}: ${code}`, () => {
    assert.ok(codesOf(seen).includes(code), codesOf(seen).join(", "));
  });

test("on this machine there is no need of TLS", () => {
  for (const endpoint of ["http://127.0.0.1:9000", "http://localhost:9000", ""])
    assert.deepEqual(codesOf({ endpoint }), ["info S3_UNVERSIONED"]);
});

test("the policy allows the prefix and nothing beside it", () => {
  const { findings } = judgeBucket({ ...sound, ...withTry("write", failed(403, "AccessDenied")) });
  const fix = findings.find(({ code }) => code === "S3_DENIED")?.fixes[0];
  assert.ok(fix?.kind === "run");
  const { Statement } = JSON.parse(fix.argv.at(-1) ?? "") as { Statement: { Resource: string; Action: string[] }[] };
  assert.deepEqual(Statement.map(({ Resource }) => Resource).sort(), ["arn:aws:s3:::b", "arn:aws:s3:::b/p/*"]);
  assert.equal(
    Statement.flatMap(({ Action }) => Action).some((action) => action.includes("*")),
    false,
  );
});

const disk = { dir: "/d", trouble: undefined, layout: 2, freeBytes: 1e12, fsyncMs: 1 };
test("a disk: what is well, and what is not", () => {
  const codes = (seen: Partial<Parameters<typeof judgeDisk>[0]>) =>
    judgeDisk({ ...disk, ...seen }, 2).findings.map(({ code }) => code);
  assert.deepEqual(judgeDisk(disk, 2), { passed: ["writable", "fsync", "space", "layout"], findings: [] });
  assert.deepEqual(codes({ freeBytes: 1e9 }), ["STORE_LOW_SPACE"]);
  assert.deepEqual(codes({ layout: 1 }), ["STORE_LAYOUT_OLD"]);
  assert.deepEqual(codes({ trouble: { is: "unwritable", said: "x" } }), ["STORE_DISK_UNWRITABLE"]);
  assert.deepEqual(codes({ trouble: { is: "fsync", said: "x" } }), ["STORE_NO_FSYNC"]);
  assert.deepEqual(codes({ trouble: { is: "too-new", found: 3, supported: 2 } }), ["STORE_LAYOUT_NEW"]);
});
