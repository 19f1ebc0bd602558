import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryOf } from "../../../test/support/forges.ts";
import { isProven, rulesOf } from "./forges.ts";
import type { Forge } from "./hooks.ts";
import { forgeNames } from "./hooks.ts";

const secret = "a secret of the forge";
const other = "another secret, alike";
const url = "https://git.corp.example/team/x.git";
const said = { forge: "github", secret, url } as const;

for (const forge of forgeNames)
  test(`${forge}: whoever knows the secret has a proof, and nobody else`, () => {
    const { headers, body } = deliveryOf({ ...said, forge, event: "push", ref: "refs/tags/v1.0.0" });
    assert.ok(isProven(forge, { headers, body, secret }));
    assert.ok(!isProven(forge, { headers, body, secret: other }));
    assert.ok(!isProven(forge, { headers, body, secret: secret.slice(0, -1) }));
    assert.ok(!isProven(forge, { headers, body, secret: "" }));
    assert.ok(!isProven(forge, { headers: {}, body, secret }));
    // A signature is of these bytes; GitLab has none.
    const changed = Buffer.concat([body, Buffer.from(" ")]);
    assert.equal(isProven(forge, { headers, body: changed, secret }), forge === "gitlab");
  });

for (const forge of forgeNames)
  test(`${forge}: no secret proves nothing, not even to itself`, () => {
    const { headers, body } = deliveryOf({ ...said, forge, secret: "", event: "push" });
    assert.ok(!isProven(forge, { headers, body, secret: "" }));
  });

const odd: readonly (readonly [Forge, Record<string, string | string[]>])[] = [
  ["github", { "x-hub-signature-256": "sha256=" }],
  ["github", { "x-hub-signature-256": `sha1=${"0".repeat(40)}` }],
  ["github", { "x-hub-signature-256": `sha256=${"0".repeat(63)}` }],
  ["github", { "x-hub-signature-256": `sha256=${"0".repeat(64)}, sha256=${"0".repeat(64)}` }],
  ["github", { "x-gitea-signature": "0".repeat(64) }],
  ["gitea", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }],
  ["gitea", { "x-gitea-signature": ["0".repeat(64)] }],
  ["gitlab", { "x-gitlab-token": "" }],
  ["gitlab", { "x-gitlab-token": "x".repeat(513) }],
];
for (const [forge, headers] of odd)
  test(`${forge}: ${JSON.stringify(headers).slice(0, 60)} is no proof`, () => {
    assert.ok(!rulesOf(forge).hasProof(headers));
    assert.ok(!isProven(forge, { headers, body: Buffer.from("{}"), secret }));
  });

const tag = { url, kind: "tag", ref: "v1.0.0", gone: false };
const branch = { url, kind: "branch", ref: "main", gone: false };
const reads = [
  ["github", "push", { ref: "refs/tags/v1.0.0" }, tag],
  ["github", "push", { ref: "refs/heads/main" }, branch],
  ["github", "push", { ref: "refs/tags/v1.0.0", deleted: true }, { ...tag, gone: true }],
  ["github", "push", { ref: "refs/pull/1/head" }, "other"],
  ["github", "create", { ref: "v1.0.0", ref_type: "tag" }, tag],
  ["github", "delete", { ref: "v1.0.0", ref_type: "tag" }, { ...tag, gone: true }],
  ["github", "create", { ref: "x", ref_type: "repository" }, "other"],
  ["github", "release", { action: "published", release: { tag_name: "v1.0.0" } }, tag],
  ["github", "release", { action: "edited", release: { tag_name: "v1.0.0" } }, "other"],
  ["github", "ping", { zen: "x" }, "ping"],
  ["github", "issues", {}, "other"],
  ["github", "push", {}, undefined],
  ["github", "push", { ref: 7 }, undefined],
  ["github", "release", { action: "published" }, undefined],
  ["gitlab", "tag_push", { ref: "refs/tags/v1.0.0", after: "1".repeat(40) }, tag],
  ["gitlab", "tag_push", { ref: "refs/tags/v1.0.0", after: "0".repeat(40) }, { ...tag, gone: true }],
  ["gitlab", "push", { ref: "refs/heads/main", after: "1".repeat(40) }, branch],
  ["gitlab", "release", { action: "create", tag: "v1.0.0" }, tag],
  ["gitlab", "release", { action: "update", tag: "v1.0.0" }, "other"],
  ["gitlab", "issue", {}, "other"],
  ["gitlab", "tag_push", {}, undefined],
  ["gitea", "push", { ref: "refs/tags/v1.0.0", after: "1".repeat(40) }, tag],
  ["gitea", "push", { ref: "refs/tags/v1.0.0", after: "0".repeat(64) }, { ...tag, gone: true }],
  ["gitea", "create", { ref: "v1.0.0", ref_type: "tag" }, tag],
  ["gitea", "release", { action: "published", release: { tag_name: "v1.0.0" } }, tag],
  ["gitea", "release", { action: "updated", release: { tag_name: "v1.0.0" } }, "other"],
] as const;
for (const [forge, event, fields, want] of reads)
  test(`${forge}: ${event} ${JSON.stringify(fields).slice(0, 70)}`, () => {
    const { headers, payload } = deliveryOf({ ...said, forge, event, ...{ fields } });
    assert.deepEqual(rulesOf(forge).read(headers, payload), want);
  });

test("a system hook of GitLab names its event otherwise", () => {
  const { headers, payload } = deliveryOf({ ...said, forge: "gitlab", event: "tag_push", ref: "refs/tags/v1.0.0" });
  const { object_kind: kind, ...rest } = payload;
  assert.deepEqual(rulesOf("gitlab").read(headers, { ...rest, event_name: kind }), tag);
});

test("a payload's own prototype is no payload", () => {
  const payload = JSON.parse('{"__proto__":{"ref":"refs/tags/v1.0.0"},"repository":{}}') as Record<string, unknown>;
  assert.equal(rulesOf("github").read({ "x-github-event": "push" }, payload), undefined);
});
