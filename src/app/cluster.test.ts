import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "../../test/support/hand-clock.ts";
import { hearingOf } from "./cluster.ts";

function open(forget?: (key: string) => Promise<void>) {
  const done: string[] = [];
  const hearing = hearingOf({
    held: { look: () => Promise.resolve(["x.io/held"]) },
    tokens: { lookAgain: () => void done.push("tokens") },
    copies: forget && { forget },
    forget: (path) => Promise.resolve(void done.push(`forget ${path}`)),
    hurried: (name) => void done.push(`hurry ${name}`),
    everything: () => void done.push("everything"),
  });
  return { done, hearing };
}

test("a module is forgotten; state is looked at again; when something was missed, all of it", async () => {
  const { done, hearing } = open();
  hearing.module("x.io/m");
  await settle();
  assert.deepEqual(done.splice(0), ["forget x.io/m"]);
  hearing.state("state/held.json");
  await settle();
  assert.deepEqual(done.splice(0), ["tokens", "forget x.io/held"]);
  hearing.turn("mod x.io/m@v1.0.0");
  assert.deepEqual(done.splice(0), ["hurry mod x.io/m@v1.0.0"]);
  hearing.everything();
  await settle();
  assert.deepEqual(done, ["tokens", "everything", "forget x.io/held"]);
});

test("an object's copy is dropped where there are copies; a text that is no key, and a failure, harm nothing", async () => {
  const dropped: string[] = [];
  const { hearing } = open((key) => {
    dropped.push(key);
    return Promise.reject(new Error("disk"));
  });
  hearing.object("modules/x.io/m/@v/v1.0.0.zip");
  hearing.object("../../etc/passwd");
  open().hearing.object("modules/x.io/m/@v/v1.0.0.zip");
  await settle();
  assert.deepEqual(dropped, ["modules/x.io/m/@v/v1.0.0.zip"]);
});

test("a flood of notices: held versions are looked at once more, not once for each; too many modules are all forgotten", async () => {
  const first = Promise.withResolvers<readonly string[]>();
  let looks = 0;
  let clears = 0;
  const forgotten: string[] = [];
  const hearing = hearingOf({
    held: { look: () => (looks++ === 0 ? first.promise : Promise.resolve([])) },
    tokens: { lookAgain: () => undefined },
    copies: undefined,
    hurried: () => undefined,
    forget: (path) => Promise.resolve(void forgotten.push(path)),
    everything: () => {
      clears += 1;
    },
  });
  for (let n = 0; n < 1_000; n++) hearing.state("state/held.json");
  first.resolve(["x.io/held"]);
  await settle();
  assert.equal(looks, 2);
  assert.deepEqual(forgotten.splice(0), ["x.io/held"]);
  for (let n = 0; n < 1_000; n++) hearing.module("x.io/same");
  await settle();
  assert.ok(forgotten.splice(0).length <= 2);
  for (let n = 0; n < 1_000; n++) hearing.module(`x.io/m${n}`);
  assert.ok(clears >= 1 && clears <= 5, String(clears));
  assert.ok(forgotten.length < 10, "in turn, between requests");
});
