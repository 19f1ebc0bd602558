import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { UpstreamResponse } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";
import { formatQuote, maxErrorBytes, readQuote } from "./quote.ts";

function answer(
  type: string | undefined,
  chunks: readonly (string | Uint8Array | Error)[],
): UpstreamResponse & { cancelled: boolean } {
  const response = {
    status: 403,
    headers: type === undefined ? {} : { "content-type": type },
    url: "http://a.test/",
    cancelled: false,
    cancel: () => void (response.cancelled = true),
    body: (async function* () {
      await Promise.resolve();
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
      }
    })(),
  };
  return response;
}

const types = [
  ["text/plain", "why"],
  ["text/plain; charset=utf-8", "why"],
  ["Text/Plain;charset=US-ASCII", "why"],
  ["text/plain; charset=gbk", ""],
  ["text/html", ""],
  ["application/json", ""],
  [undefined, ""],
] as const;
for (const [type, want] of types)
  test(`a body of type ${type ?? "(none)"} is ${want === "" ? "not " : ""}quoted, and always given back`, async () => {
    const response = answer(type, ["why\n"]);
    assert.equal(await readQuote(response), want);
    assert.equal(response.cancelled, true);
  });

const texts = [
  ["one\r\ntwo\n", "one\ntwo"],
  ["\n\nreason\n\nmore", "reason"],
  ["1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8"],
  ["bell \u0007", ""],
  ["\u001b[31mred", ""],
  ["evil \u202e txt", ""],
  ["see https://user:secret@host/x?y", "see https://xxxxx@host/x?y"],
  ["拒绝: 许可证", "拒绝: 许可证"],
] as const;
for (const [text, want] of texts)
  test(`${JSON.stringify(text)} is quoted as ${JSON.stringify(want)}`, () => assert.equal(formatQuote(text), want));

test("what is not UTF-8 is not quoted; a character cut at the cap is left out", async () => {
  assert.equal(await readQuote(answer("text/plain", [new Uint8Array([0x77, 0xff, 0x79])])), "");
  const long = `${"x".repeat(10)}\n\n${"常".repeat(maxErrorBytes)}`;
  assert.equal(await readQuote(answer("text/plain", [long])), "x".repeat(10));
});

test("what came before a body broke is quoted; our own abort travels on", async () => {
  const broken = new UpstreamFault("a", "reset", "");
  assert.equal(await readQuote(answer("text/plain", ["half a rea", broken])), "half a rea");
  await assert.rejects(readQuote(answer("text/plain", [new UpstreamFault("a", "aborted", "")])), { reason: "aborted" });
});

test("a quote never exceeds 300 bytes or 8 lines and never holds a control character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 1000 }), (text) => {
      const quote = formatQuote(text);
      return Buffer.byteLength(quote) <= 300 && quote.split("\n").length <= 8 && !/[^\P{C}\t\n]/u.test(quote);
    }),
  );
});
