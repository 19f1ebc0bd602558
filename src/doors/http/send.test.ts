import assert from "node:assert/strict";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import type { ZipAnswer } from "#services/proxy/answer.ts";
import { sendZip } from "./send.ts";

const size = 64 << 20;

/** A zip of zeroes; only what sendZip asks of it. */
function zeroes(onClose: () => void): ZipAnswer {
  const source = {
    read: async (_: number, into: Uint8Array) => {
      // As slow as a disk: readers leave while a read is under way, too.
      await new Promise((resolve) => setTimeout(resolve, 2));
      return into.fill(0).length;
    },
    close: () => {
      onClose();
      return Promise.resolve();
    },
  };
  return { kind: "zip", size, zip: { open: () => Promise.resolve(source) } } as unknown as ZipAnswer;
}

/** Serves zeroes(); `over` is how sendZip ended and how many sources it closed. */
async function serve(stalledMs = 30_000): Promise<{
  url: string;
  over: Promise<{ how: "sent" | "failed"; closed: number }>;
  close: () => void;
}> {
  const ended = Promise.withResolvers<{ how: "sent" | "failed"; closed: number }>();
  let closed = 0;
  const server = createServer((_, response) => {
    const sendHead = () => response.writeHead(200, { "content-length": size });
    const sending = sendZip(
      response,
      zeroes(() => closed++),
      { start: 0, end: size - 1, stalledMs, sendHead },
    );
    sending.then(
      () => ended.resolve({ how: "sent", closed }),
      () => ended.resolve({ how: "failed", closed }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, over: ended.promise, close: () => void server.close() };
}

test("a large zip arrives whole", async () => {
  const server = await serve();
  const response = await fetch(server.url);
  assert.equal((await response.arrayBuffer()).byteLength, size);
  assert.deepEqual(await server.over, { how: "sent", closed: 1 });
  server.close();
});

// A rejection that nobody waits for fails this file: in the server it would end the process.
test("a reader that leaves in the middle ends its own download and nothing else", async () => {
  const server = await serve();
  const request = get(server.url, (response) => response.once("data", () => request.destroy()));
  request.on("error", () => undefined);
  assert.deepEqual(await server.over, { how: "failed", closed: 1 });
  server.close();
});

test("many readers that leave are no danger either", async () => {
  for (let round = 0; round < 20; round++) {
    const server = await serve();
    const request = get(server.url, (response) => response.once("data", () => response.socket.resetAndDestroy()));
    request.on("error", () => undefined);
    assert.equal((await server.over).how, "failed");
    server.close();
  }
});

test("a reader that stays and takes nothing is dropped", async () => {
  const server = await serve(300);
  const request = get(server.url, (response) => response.pause());
  const dropped = new Promise((resolve) => request.on("error", resolve).on("close", resolve));
  assert.deepEqual(await server.over, { how: "failed", closed: 1 });
  request.destroy();
  await dropped;
  server.close();
});

test("a reader that takes a little now and then is not", async () => {
  const server = await serve(300);
  const request = get(server.url, (response) => {
    // Reads for a moment, rests for less than the limit, for longer than the limit altogether.
    let rests = 5;
    response.on("data", () => {
      if (rests-- <= 0) return;
      response.pause();
      setTimeout(() => response.resume(), 100);
    });
  });
  assert.equal((await server.over).how, "sent");
  request.destroy();
  server.close();
});
