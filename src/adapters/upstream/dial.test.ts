import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { blackHole, listen } from "../../../test/support/loopback.ts";
import { dial } from "./dial.ts";

const signal = new AbortController().signal;
const linux = { skip: process.platform === "linux" ? false : "needs a second loopback address" };
const closedPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
};

test("a black hole before a good address: the good one answers while the first still waits", linux, async (t) => {
  const port = await listen(t, createServer());
  await blackHole(t, { host: "127.0.0.2", port });
  const socket = await dial(["127.0.0.2", "127.0.0.1"], { port, addressTimeoutMs: 60_000, signal });
  assert.equal(socket.remoteAddress, "127.0.0.1");
  socket.destroy();
});

test("black holes alone end by the time one address has", linux, async (t) => {
  const port = await closedPort();
  await blackHole(t, { host: "127.0.0.2", port });
  await assert.rejects(dial(["127.0.0.2"], { port, addressTimeoutMs: 100, signal }), (error: AggregateError) => {
    assert.equal((error.errors[0] as NodeJS.ErrnoException).code, "ETIMEDOUT");
    return true;
  });
});

test("a refused address makes way for the next at once", linux, async (t) => {
  const port = await listen(t, createServer());
  const socket = await dial(["127.0.0.3", "127.0.0.1"], { port, addressTimeoutMs: 60_000, signal });
  assert.equal(socket.remoteAddress, "127.0.0.1");
  socket.destroy();
});

test("only one connection is left of many that could be made", linux, async (t) => {
  let open = 0;
  const server = createServer((socket) => {
    open++;
    socket.on("close", () => open--).resume();
  });
  const port = await listen(t, server, { host: "0.0.0.0" });
  const socket = await dial(["127.0.0.1", "127.0.0.2", "127.0.0.3"], { port, addressTimeoutMs: 1_000, signal });
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(open, 1);
  socket.destroy();
});

test("nobody anywhere: one error for each address", async () => {
  const options = { port: await closedPort(), addressTimeoutMs: 1_000, signal };
  await assert.rejects(dial(["127.0.0.1", "127.0.0.1"], options), (error: AggregateError) => {
    assert.deepEqual(
      error.errors.map((one: NodeJS.ErrnoException) => one.code),
      ["ECONNREFUSED", "ECONNREFUSED"],
    );
    return true;
  });
});

test("an abort ends every attempt, with its own reason", linux, async (t) => {
  const port = await closedPort();
  await blackHole(t, { host: "127.0.0.2", port });
  const stop = new AbortController();
  const reason = new Error("enough");
  setTimeout(() => stop.abort(reason), 30);
  await assert.rejects(dial(["127.0.0.2"], { port, addressTimeoutMs: 60_000, signal: stop.signal }), reason);
});
