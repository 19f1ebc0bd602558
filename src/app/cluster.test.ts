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
