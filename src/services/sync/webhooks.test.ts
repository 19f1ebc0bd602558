import assert from "node:assert/strict";
import { test } from "node:test";
import type { GranaryError } from "#services/errors/granary-error.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { render } from "#services/errors/catalogue.ts";
import { deliveryOf } from "../../../test/support/forges.ts";
import type { Delivery, DeliveryOptions } from "../../../test/support/forges.ts";
import { absent, failed, kept, openSyncRoom } from "../../../test/support/sync-room.ts";
import { Deliveries } from "./deliveries.ts";
import { forgeNames } from "./hooks.ts";
import type { Hook } from "./hooks.ts";
import { maxHeldBytes } from "./webhooks.ts";

const secret = "a secret of the forge";
const team = { repository: "git.corp.example/team", module: "git.corp.example/team" };
const hooks: readonly Hook[] = forgeNames.map((forge) => ({
  name: `our ${forge}`,
  forge,
  secret,
  repositories: [team],
}));
const what = "git.corp.example/team/x@v1.0.0";
const push = {
  forge: "github",
  secret,
  url: "https://git.corp.example/team/x.git",
  event: "push",
  ref: "refs/tags/v1.0.0",
} as const;

type Room = ReturnType<typeof openSyncRoom>;

function deliver({ webhooks }: Room, sent: Delivery, more: { headers?: object; body?: Buffer } = {}) {
  const forge = forgeNames.find((name) => sent.path.endsWith(name)) ?? "github";
  const headers = { ...sent.headers, ...more.headers };
  return webhooks.deliver(forge, {
    headers,
    body: () => Promise.resolve(more.body ?? sent.body),
    isConfidential: true,
  });
}

async function refusal(work: Promise<unknown>): Promise<GranaryError> {
  const error: unknown = await work.then(
    () => assert.fail("it was taken"),
    (reason: unknown) => reason,
  );
  assert.ok(isGranaryError(error), String(error));
  return error;
}

for (const options of [
  push,
  { ...push, forge: "gitlab", event: "tag_push" },
  { ...push, forge: "gitea" },
  {
    ...push,
    forge: "gitea",
    event: "release",
    ref: undefined,
    fields: { action: "published", release: { tag_name: "v1.0.0" } },
  },
] as DeliveryOptions[])
  test(`${options.forge} ${options.event}: forgotten at once, brought behind`, async () => {
    const room = openSyncRoom({ hooks });
    room.table.set(what, [kept]);
    const delivered = await deliver(room, deliveryOf(options));
    assert.deepEqual(delivered, { outcome: "accepted", module: "git.corp.example/team/x", versions: [what] });
    assert.equal(room.asked[0], "forget git.corp.example/team/x");
    await room.clock.pass(0);
    assert.ok(room.states(what).includes("listed after 0 ms"));
    assert.deepEqual(room.counted, [`webhook ${options.forge} accepted`, "delay webhook 0"]);
    const [told] = room.of("webhook.delivered");
    assert.equal(told?.hook, `our ${options.forge}`);
  });

for (const [name, fields, ref] of [
  ["a branch", {}, "refs/heads/main"],
  ["a tag that is gone", { deleted: true }, "refs/tags/v1.0.0"],
  ["a tag that is no version", {}, "refs/tags/nightly"],
] as const)
  test(`${name} is forgotten about, and nothing is brought`, async () => {
    const room = openSyncRoom({ hooks });
    const delivered = await deliver(room, deliveryOf({ ...push, ref, fields }));
    assert.deepEqual(delivered, { outcome: "accepted", module: "git.corp.example/team/x", versions: [] });
    assert.deepEqual(room.asked, ["forget git.corp.example/team/x"]);
  });

const good = deliveryOf(push);
const forgeries: readonly (readonly [string, Delivery, { headers?: object; body?: Buffer }, readonly Hook[]])[] = [
  ["another secret", deliveryOf({ ...push, secret: "a secret of nobody" }), {}, hooks],
  ["changed bytes", good, { body: Buffer.from(good.body.toString().replace("v1.0.0", "v6.6.6")) }, hooks],
  ["no signature", good, { headers: { "x-hub-signature-256": undefined } }, hooks],
  ["an old signature", good, { headers: { "x-hub-signature-256": undefined, "x-hub-signature": "sha1=0" } }, hooks],
  ["the secret as a token", good, { headers: { "x-hub-signature-256": undefined, "x-gitlab-token": secret } }, hooks],
  ["no webhook configured", good, {}, []],
  ["a webhook of another forge only", good, {}, hooks.filter(({ forge }) => forge !== "github")],
];
test("every forgery gets the same words, nothing is done, and only the event knows why", async () => {
  const said = new Set<string>();
  for (const [name, sent, more, configured] of forgeries) {
    const room = openSyncRoom({ hooks: configured });
    const error = await refusal(deliver(room, sent, more));
    said.add(render(error, "en", "id").join("\n"));
    assert.deepEqual(room.asked, [], name);
    assert.deepEqual(room.counted, ["webhook github refused"], name);
    assert.equal(room.of("webhook.refused").length, 1, name);
    assert.ok(!JSON.stringify(room.emitted).includes(secret), name);
  }
  assert.equal(said.size, 1);
  assert.ok(![...said].join("").includes(secret));
});

test("what is refused without its body is not read", async () => {
  const { webhooks } = openSyncRoom({ hooks });
  const body = () => assert.fail("it was read");
  await refusal(webhooks.deliver("github", { headers: {}, body, isConfidential: true }));
  await refusal(openSyncRoom().webhooks.deliver("github", { headers: good.headers, body, isConfidential: true }));
});

test("a replay makes no work, under its own name, under another one, and for all forges", async () => {
  for (const forge of forgeNames) {
    const room = openSyncRoom({ hooks });
    room.table.set(what, [kept]);
    const event = forge === "gitlab" ? "tag_push" : "push";
    const sent = deliveryOf({ ...push, forge, event, id: "1" });
    assert.equal((await deliver(room, sent)).outcome, "accepted");
    await room.clock.pass(0);
    const { length } = room.asked;
    assert.deepEqual(await deliver(room, sent), { outcome: "replayed" });
    // A signature does not cover the name; GitLab's proof covers nothing, and who knows the token needs no replay.
    const renamed = deliveryOf({ ...push, forge, event, id: "2" });
    assert.equal((await deliver(room, renamed)).outcome, forge === "gitlab" ? "accepted" : "replayed");
    if (forge !== "gitlab") assert.equal(room.asked.length, length);
  }
});

test("GitLab names a retry as the first try, by its Idempotency-Key", async () => {
  const room = openSyncRoom({ hooks });
  const first = deliveryOf({ ...push, forge: "gitlab", event: "tag_push" });
  const again = deliveryOf({ ...push, forge: "gitlab", event: "tag_push" });
  const headers = { "idempotency-key": "k" };
  assert.equal((await deliver(room, first, { headers })).outcome, "accepted");
  assert.equal((await deliver(room, again, { headers })).outcome, "replayed");
});

test("what came to nothing may be delivered again", async () => {
  const room = openSyncRoom({ hooks });
  room.table.set(what, [failed("GRANARY_BAD_MODULE", { isFinal: true }), kept]);
  assert.equal((await deliver(room, good)).outcome, "accepted");
  await room.clock.pass(0);
  assert.equal((await deliver(room, good)).outcome, "accepted");
  await room.clock.pass(0);
  assert.equal((await deliver(room, good)).outcome, "replayed");
});

test("while it is followed a replay changes nothing", async () => {
  const room = openSyncRoom({ hooks });
  room.table.set(what, [absent]);
  await deliver(room, good);
  await room.clock.pass(0);
  const before = [...room.asked];
  assert.equal((await deliver(room, good)).outcome, "replayed");
  await room.clock.pass(0);
  assert.deepEqual(room.asked, before);
});

test("a caches' failure is told, and the delivery may come again", async () => {
  const room = openSyncRoom({ hooks });
  const forget = room.modules.forget.bind(room.modules);
  room.modules.forget = () => Promise.reject(new Error("no"));
  await assert.rejects(deliver(room, good));
  room.modules.forget = forget;
  assert.equal((await deliver(room, good)).outcome, "accepted");
});

for (const [name, url] of [
  ["of another repository", "https://git.corp.example/other/x.git"],
  ["of a repository that begins alike", "https://git.corp.example/teamster/x.git"],
  ["of another host", "https://git.evil.example/team/x.git"],
  ["of no URL", "team/x"],
] as const)
  test(`a good delivery ${name} is ignored: the hook's own list decides`, async () => {
    const room = openSyncRoom({ hooks });
    const delivered = await deliver(room, deliveryOf({ ...push, url }));
    assert.equal(delivered.outcome, "ignored");
    assert.deepEqual(room.asked, []);
  });

test("of two hooks with one secret each speaks for its repositories", async () => {
  const more = {
    name: "b",
    forge: "github",
    secret,
    repositories: [{ repository: "b.example", module: "b.example" }],
  } as const;
  const room = openSyncRoom({ hooks: [...hooks, more] });
  const delivered = await deliver(room, deliveryOf({ ...push, url: "https://b.example/y.git" }));
  assert.equal(delivered.outcome === "accepted" && delivered.module, "b.example/y");
});

test("a ping is answered, and other events are ignored", async () => {
  const room = openSyncRoom({ hooks });
  assert.deepEqual(await deliver(room, deliveryOf({ ...push, event: "ping" })), { outcome: "pong" });
  assert.equal((await deliver(room, deliveryOf({ ...push, event: "issues" }))).outcome, "ignored");
});

const bodies = [
  "",
  "[]",
  "null",
  "7",
  "{",
  '{"ref":"refs/tags/v1.0.0"}',
  "payload=%7B%7D",
  "\u{feff}",
  "\xff",
] as const;
for (const text of bodies)
  test(`a proven body that is no payload is a bad request: ${JSON.stringify(text)}`, async () => {
    const room = openSyncRoom({ hooks });
    const body = Buffer.from(text, "latin1");
    const { headers } = deliveryOf({ ...push, forge: "gitlab", event: "tag_push" });
    const error = await refusal(
      room.webhooks.deliver("gitlab", { headers, body: () => Promise.resolve(body), isConfidential: true }),
    );
    assert.equal(error.code, "GRANARY_BAD_REQUEST");
    assert.deepEqual(room.asked, []);
  });

test("strangers' bytes are held up to a number, those that came count, and they are let go", async () => {
  const { webhooks } = openSyncRoom({ hooks });
  const forged = deliveryOf({ ...push, secret: "a secret of nobody" });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const bodyOf = (bytes: number) => async (_max: number, came: (bytes: number) => void) => {
    came(bytes);
    await promise;
    return forged.body;
  };
  const from = (bytes: number) => ({ headers: forged.headers, body: bodyOf(bytes), isConfidential: true });
  // A thousand that send slowly, and one that fills the rest.
  const slow = Array.from({ length: 1_000 }, () => refusal(webhooks.deliver("github", from(1))));
  const large = refusal(webhooks.deliver("github", from(maxHeldBytes - 1_000)));
  assert.equal((await refusal(webhooks.deliver("github", from(1)))).code, "GRANARY_OVERLOADED");
  resolve(undefined);
  assert.equal((await large).code, "GRANARY_WEBHOOK_REFUSED");
  await Promise.all(slow);
  assert.equal((await refusal(webhooks.deliver("github", from(maxHeldBytes)))).code, "GRANARY_WEBHOOK_REFUSED");
});

test("deliveries are remembered up to a number, the oldest leaves", () => {
  const deliveries = new Deliveries({ max: 2 });
  for (const name of ["a", "b", "c"]) assert.ok(deliveries.take([name]));
  assert.ok(!deliveries.take(["c"]));
  assert.ok(deliveries.take(["a"]));
});

test("GitLab's token is its secret: in the clear it proves nothing, while a signature stays one", async () => {
  const { webhooks, asked } = openSyncRoom({ hooks });
  const clear = (sent: Delivery) => ({
    headers: sent.headers,
    body: () => Promise.resolve(sent.body),
    isConfidential: false,
  });
  const token = deliveryOf({ ...push, forge: "gitlab", event: "tag_push" });
  assert.equal((await refusal(webhooks.deliver("gitlab", clear(token)))).code, "GRANARY_TOKEN_NEEDS_TLS");
  assert.deepEqual(asked, []);
  assert.equal((await webhooks.deliver("github", clear(good))).outcome, "accepted");
});
