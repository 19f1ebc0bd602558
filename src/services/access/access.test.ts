import assert from "node:assert/strict";
import test from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { Clock } from "#services/store/ports.ts";
import { Access, tokenIn } from "./access.ts";
import { Tokens } from "./tokens.ts";

function open(privateReaders: "tokens" | "anyone" = "tokens") {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  const storage = new MemoryStorage();
  const tokens = new Tokens(storage, clock);
  return { storage, clock, tokens, access: new Access(tokens, privateReaders), later: (ms: number) => (now += ms) };
}

const far = { loopback: false, secure: true };
const basic = (token: string) => `Basic ${Buffer.from(`ci:${token}`).toString("base64")}`;

test("a loopback caller reads private modules without a token", async () => {
  assert.equal((await open().access.mayReadPrivate({ loopback: true, secure: false })).verdict, "allow");
});

test("a far caller reads private modules with a read token only", async () => {
  const { tokens, access } = open();
  const { text } = await tokens.add("read", "ci");
  assert.deepEqual(await access.mayReadPrivate(far), { verdict: "challenge", reason: "missing" });
  assert.deepEqual(await access.mayReadPrivate({ ...far, authorization: basic("grn_0_x") }), {
    verdict: "challenge",
    reason: "wrong",
  });
  assert.equal((await access.mayReadPrivate({ ...far, authorization: basic(text) })).verdict, "allow");
  assert.equal((await access.mayReadPrivate({ ...far, authorization: `Bearer ${text}` })).verdict, "allow");
});

test("a token that travels in the clear is refused, whatever it is", async () => {
  const { tokens, access } = open();
  const { text } = await tokens.add("read", "ci");
  const verdict = await access.mayReadPrivate({ loopback: false, secure: false, authorization: basic(text) });
  assert.deepEqual(verdict, { verdict: "challenge", reason: "insecure" });
});

test("private readers `anyone` asks nobody", async () => {
  assert.equal((await open("anyone").access.mayReadPrivate(far)).verdict, "allow");
});

test("without any write token every write is closed, from loopback too", async () => {
  const { tokens, access } = open();
  await tokens.add("read", "reader");
  assert.deepEqual(await access.mayWrite({ loopback: true, secure: false }), { verdict: "closed" });
});

test("a read token does not write; a write token reads and writes", async () => {
  const { tokens, access } = open();
  const read = await tokens.add("read", "");
  const write = await tokens.add("write", "");
  const as = (text: string) => ({ ...far, authorization: basic(text) });
  assert.deepEqual(await access.mayWrite(as(read.text)), { verdict: "challenge", reason: "wrong" });
  assert.equal((await access.mayWrite(as(write.text))).verdict, "allow");
  assert.equal((await access.mayReadPrivate(as(write.text))).verdict, "allow");
});

test("a revoked token stops working in a running server within the recheck time", async () => {
  const { storage, clock, tokens, access, later } = open();
  const { text, record } = await tokens.add("write", "");
  const caller = { ...far, authorization: basic(text) };
  assert.equal((await access.mayWrite(caller)).verdict, "allow");
  assert.equal(await new Tokens(storage, clock).revoke(record.id), true);
  later(3_000);
  assert.equal((await access.mayWrite(caller)).verdict, "closed");
});

test("the file holds no secret", async () => {
  const { storage, tokens } = open();
  const { text } = await tokens.add("write", "deploy");
  // The secret itself may hold underscores.
  const secret = text.slice("grn_00000000_".length);
  assert.ok(secret.length >= 40);
  for await (const { key } of storage.list("")) {
    const stored = await storage.get(key, 1 << 20);
    assert.ok(!Buffer.from(stored?.bytes ?? []).includes(secret));
  }
  assert.equal((await tokens.list())[0]?.note, "deploy");
});

test("tokenIn() reads Basic passwords and Bearer tokens and nothing else", () => {
  assert.equal(tokenIn(basic("a:b")), "a:b");
  assert.equal(tokenIn("bearer t"), "t");
  for (const odd of [undefined, "", "Digest x", "Basic !!!", `Bearer ${"x".repeat(2000)}`])
    assert.equal(tokenIn(odd), undefined);
});
