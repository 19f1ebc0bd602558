import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { listen } from "../../../test/support/loopback.ts";
import { DirectFilter } from "./direct-filter.ts";
import type { Pass } from "./direct-filter.ts";
import type { Goal } from "./direct-dial.ts";
import { PlaceCredentials } from "./direct-goauth.ts";
import { Places } from "./direct-places.ts";

const noGoAuth = (): Promise<string> => Promise.reject(new Error("nobody asks"));
const places = new Places({ places: [], modules: "", cidrs: [], readPem: (_, file) => file });

/** A filter whose every goal is one server that sends `text`. */
async function filterTo(t: TestContext, text: string | Buffer): Promise<{ filter: DirectFilter; goals: Goal[] }> {
  const port = await listen(
    t,
    createServer((socket) => socket.on("error", () => undefined).end(text)),
  );
  const goals: Goal[] = [];
  const dial = (goal: Goal): Promise<Socket> => {
    goals.push(goal);
    return Promise.resolve(connect(port, "127.0.0.1"));
  };
  const filter = new DirectFilter({ places, dial, credentials: new PlaceCredentials({ places, goauth: noGoAuth }) });
  atEnd(t, () => filter.close());
  return { filter, goals };
}

const pass = (filter: DirectFilter, maxBytes = 1 << 20, onTooMuch = (): void => undefined): Promise<Pass> =>
  filter.admit({ maxBytes, onTooMuch, onCredentials: () => Promise.resolve() });

/** Sends a request's head to a proxy, and reads all that comes. */
async function send(proxy: string, line: string, isNamed = true): Promise<string> {
  const { port, username, password } = new URL(proxy);
  const authorization = `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString("base64")}\r\n`;
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${isNamed ? authorization : ""}\r\n`);
  let said = "";
  for await (const chunk of socket.setEncoding("latin1") as AsyncIterable<string>) said += chunk;
  return said;
}

test("git opens a tunnel, go does not, and nobody does without credentials or after the end", async (t) => {
  const { filter, goals } = await filterTo(t, "hello");
  const mine = await pass(filter);
  const other = await pass(filter);
  assert.match(await send(mine.gitProxy, "CONNECT git.example:443"), /^HTTP\/1\.1 200 .*hello$/s);
  assert.deepEqual(goals, [{ protocol: "https:", host: "git.example", port: 443 }]);
  assert.match(await send(mine.goProxy, "CONNECT git.example:443"), /^HTTP\/1\.1 403 /);
  assert.match(await send(mine.gitProxy, "CONNECT git.example:443", false), /^HTTP\/1\.1 407 /);
  assert.match(
    await send(mine.gitProxy.replace(/:\w/, ":_"), "CONNECT git.example:443").catch(() => "HTTP/1.1 407 "),
    /407/,
  );
  mine.end();
  assert.match(await send(mine.gitProxy, "CONNECT git.example:443"), /^HTTP\/1\.1 407 /);
  assert.match(await send(other.gitProxy, "CONNECT git.example:443"), /^HTTP\/1\.1 200 /);
  assert.equal(goals.length, 2);
});

for (const target of ["git.example", "git.example:99999", "git.example:443/x", "[zz]:443"])
  test(`CONNECT ${target} is no tunnel`, async (t) => {
    const { filter, goals } = await filterTo(t, "hello");
    const { gitProxy } = await pass(filter);
    assert.match(await send(gitProxy, `CONNECT ${target}`), /^HTTP\/1\.1 4\d\d /);
    assert.deepEqual(goals, []);
  });

test("go asks for go-import tags and nothing else", async (t) => {
  const { filter, goals } = await filterTo(t, "hello");
  const { goProxy } = await pass(filter);
  for (const line of [
    "GET http://git.example/x",
    "GET http://git.example/x?go-get=1&y=2",
    "GET http://git.example:8080/x?go-get=1",
    "POST http://git.example/x?go-get=1",
    "GET /x?go-get=1",
    "GET https://git.example/x?go-get=1",
  ])
    assert.match(await send(goProxy, line), /^HTTP\/1\.1 40[03] /, line);
  assert.deepEqual(goals, []);
});

test("a child that brings in too much is told of, and cut off", async (t) => {
  const { filter } = await filterTo(t, Buffer.alloc(4 << 20));
  let isTooMuch = false;
  const { gitProxy } = await pass(filter, 1 << 20, () => (isTooMuch = true));
  const came = await send(gitProxy, "CONNECT git.example:443").catch(() => "");
  assert.ok(isTooMuch);
  assert.ok(came.length < 4 << 20);
});
