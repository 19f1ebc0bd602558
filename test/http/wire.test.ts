// What arrives on a socket, byte for byte: requests that two readers could read in two ways, requests without an end,
// and more of everything than is allowed.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { converse, parseAnswers } from "../support/raw-socket.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const list = "/example.com/hello/@v/list";
const listed = "v1.0.0\nv1.1.0\nv1.2.0-rc.1\n";
const close = "Connection: close\r\n";
const marker = `GET ${list} HTTP/1.1\r\nHost: a\r\n${close}\r\n`;
/** Hidden in a body; answered with `ok` by a server that takes it for a request. */
const hidden = "GET /-/livez HTTP/1.1\r\nHost: a\r\n\r\n";
const size = hidden.length.toString(16);
const chunked = `${size}\r\n${hidden}\r\n0\r\n\r\n`;
const perAddress = 150;

let folder: string;
let world: World;
let url: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "granary-wire-"));
  const config = join(folder, "granary.yaml");
  const limits = `  headersTimeout: 300ms\n  connectionsPerIp: ${perAddress}\n`;
  await writeFile(config, `limits:\n${limits}proxy:\n  timeout:\n    read: 1s\n`);
  world = await startWorld({ flags: [`--config=${config}`] });
  ({ url } = world.granary);
  const warm = await fetch(url + list);
  assert.equal(await warm.text(), listed);
});

after(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

async function answersTo(text: string) {
  return parseAnswers(await converse(url, text));
}

const post = (headers: string, body: string) => `POST ${list} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const get = (headers: string, body = "") => `GET ${list} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const length = (bytes: string) => `Content-Length: ${bytes.length}`;

/** For the reader of Content-Length the hidden request starts after the chunk's first line. */
const teCl = `${size}\r\n${hidden}\r\n0\r\n\r\n`;
/** For the reader of Transfer-Encoding it starts after the last chunk. */
const clTe = `0\r\n\r\n${hidden}`;

const framings: Record<string, readonly [headers: string, body: string]> = {
  "CL.TE": [`${length(clTe)}\r\nTransfer-Encoding: chunked`, clTe],
  "TE.CL": ["Transfer-Encoding: chunked\r\nContent-Length: 4", teCl],
  "CL.TE, TE in capitals": [`${length(clTe)}\r\nTRANSFER-ENCODING: CHUNKED`, clTe],
  "space before the colon of TE": [`${length(clTe)}\r\nTransfer-Encoding : chunked`, clTe],
  "space before the colon of CL": [`Content-Length : ${hidden.length}`, hidden],
  "TE with a tab": [`Transfer-Encoding:\tchunked`, chunked],
  "TE with a vertical tab": [`Transfer-Encoding: \x0bchunked`, chunked],
  "TE with a NUL": [`Transfer-Encoding: chunked\0`, chunked],
  "TE with a name that starts alike": [`Transfer-Encoding: xchunked`, chunked],
  "TE with a parameter": [`Transfer-Encoding: chunked;q=1`, chunked],
  "TE identity": [`Transfer-Encoding: identity\r\n${length(hidden)}`, hidden],
  "TE identity, chunked": [`Transfer-Encoding: identity, chunked`, chunked],
  "TE chunked, identity": [`Transfer-Encoding: chunked, identity`, chunked],
  "TE chunked, chunked": [`Transfer-Encoding: chunked, chunked`, chunked],
  "TE twice, the first unknown": [`Transfer-Encoding: x\r\nTransfer-Encoding: chunked`, chunked],
  "TE twice, the last unknown": [`Transfer-Encoding: chunked\r\nTransfer-Encoding: x`, chunked],
  "TE twice": [`Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked`, chunked],
  "TE with an underscore": [`Transfer_Encoding: chunked`, chunked],
  "TE folded": [`Transfer-Encoding:\r\n chunked`, chunked],
  "TE in the fold of another": [`X-A: b\r\n Transfer-Encoding: chunked`, chunked],
  "CL folded": [`Content-Length:\r\n ${hidden.length}`, hidden],
  "TE behind a bare LF": [`X-A: b\nTransfer-Encoding: chunked`, chunked],
  "TE behind a bare CR": [`X-A: b\rTransfer-Encoding: chunked`, chunked],
  "CL behind a bare LF": [`X-A: b\n${length(hidden)}`, hidden],
  "the header ends in bare LFs": [`X-A: b\n\n${hidden}`, ""],
  "CR CR LF": [`${length(hidden)}\r`, hidden],
  "CL twice alike": [`${length(hidden)}\r\n${length(hidden)}`, hidden],
  "CL twice, the first smaller": [`Content-Length: 0\r\n${length(hidden)}`, hidden],
  "CL twice, the last smaller": [`${length(hidden)}\r\nContent-Length: 0`, hidden],
  "CL as a list": [`Content-Length: ${hidden.length}, ${hidden.length}`, hidden],
  "CL with a plus": [`Content-Length: +${hidden.length}`, hidden],
  "CL below zero": ["Content-Length: -1", hidden],
  "CL in hexadecimal": [`Content-Length: 0x${size}`, hidden],
  "CL with an exponent": ["Content-Length: 3e1", hidden],
  "CL with a tail": [`Content-Length: ${hidden.length}abc`, hidden],
  "CL with a space inside": ["Content-Length: 3 6", hidden],
  "CL of nothing": ["Content-Length:", hidden],
  "CL beyond 64 bits": ["Content-Length: 18446744073709551616", hidden],
  "CL larger than the body": [`Content-Length: ${hidden.length + 5000}`, hidden],
  "a header without a colon": [`Content-Length`, hidden],
  "a header without a name": [`: ${hidden.length}`, hidden],
  "a name with a NUL": [`Content-Len\0gth: ${hidden.length}`, hidden],
  "an upgrade to h2c": ["Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk", ""],
  "an upgrade with a body": [`Upgrade: websocket\r\nConnection: Upgrade\r\n${length(hidden)}`, hidden],
  "an expectation": [`Expect: 100-continue\r\n${length(hidden)}`, hidden],
  "an unknown expectation": [`Expect: 200-ok\r\n${length(hidden)}`, hidden],
};

const chunkings: Record<string, string> = {
  "an extension": `${size};a=b\r\n${hidden}\r\n0\r\n\r\n`,
  "an extension with a bare LF": `${size};a\nb\r\n${hidden}\r\n0\r\n\r\n`,
  "an extension with a bare CR": `${size};a\rb\r\n${hidden}\r\n0\r\n\r\n`,
  "a size before a bare LF": `${size}\n${hidden}\r\n0\r\n\r\n`,
  "a size with a space": `${size} \r\n${hidden}\r\n0\r\n\r\n`,
  "a size with 0x": `0x${size}\r\n${hidden}\r\n0\r\n\r\n`,
  "a size with a plus": `+${size}\r\n${hidden}\r\n0\r\n\r\n`,
  "a size below zero": `-${size}\r\n${hidden}\r\n0\r\n\r\n`,
  "a size beyond 64 bits": `fffffffffffffffff\r\n${hidden}\r\n0\r\n\r\n`,
  "a size of nothing": `\r\n${hidden}\r\n0\r\n\r\n`,
  "data longer than its size": `2\r\n${hidden}\r\n0\r\n\r\n`,
  "data without an end": `${size}\r\n${hidden}0\r\n\r\n`,
  "data before a bare LF": `${size}\r\n${hidden}\n0\r\n\r\n`,
  "a trailer that frames": `${size}\r\n${hidden}\r\n0\r\nContent-Length: 5\r\n\r\n`,
  "a trailer that is a request": `${size}\r\n${hidden}\r\n0\r\n${hidden}\r\n`,
  "an end in bare LFs": `${size}\r\n${hidden}\r\n0\n\n`,
};

const cases: [string, string][] = [];
for (const [name, [headers, body]] of Object.entries(framings))
  cases.push([`POST, ${name}`, post(headers, body)], [`GET, ${name}`, get(headers, body)]);
for (const [name, body] of Object.entries(chunkings)) {
  cases.push([`a chunk with ${name}`, post("Transfer-Encoding: chunked", body)]);
  cases.push([`GET, a chunk with ${name}`, get("Transfer-Encoding: chunked", body)]);
}
for (const line of [
  `GET ${list}`,
  `GET ${list} HTTP/0.9`,
  `GET ${list} HTTP/1.10`,
  `GET ${list} HTTP/2.0`,
  `GET ${list} http/1.1`,
  `GET  ${list} HTTP/1.1`,
  `GET\t${list} HTTP/1.1`,
  `GET ${list} HTTP/1.1 HTTP/1.1`,
  `G\0T ${list} HTTP/1.1`,
  `CONNECT a:80 HTTP/1.1`,
  "PRI * HTTP/2.0",
])
  cases.push([JSON.stringify(line), `${line}\r\nHost: a\r\n${length(hidden)}\r\n\r\n${hidden}`]);

test(`${cases.length} requests that could be read in two ways: what they hide is never answered`, async (t) => {
  assert.ok(cases.length >= 40);
  for (let at = 0; at < cases.length; at += 60)
    await Promise.all(
      cases.slice(at, at + 60).map(([name, text]) =>
        t.test(name, async () => {
          const answers = await answersTo(text + marker);
          const bodies = answers.map(({ body }) => body);
          assert.ok(!bodies.includes("ok\n"), `the hidden request was answered: ${bodies.join("|")}`);
          // Then the marker as itself, or a refusal and the end.
          assert.ok(answers.length <= 2, bodies.join("|"));
          const second = answers[1];
          if (second !== undefined) assert.ok(second.body === listed || second.status >= 400, second.body);
        }),
      ),
    );
});

const refused: readonly (readonly [string, string, number])[] = [
  ["two Host headers", get("Host: b"), 400],
  ["two Host headers alike", get("Host: a"), 400],
  ["no Host header", `GET ${list} HTTP/1.1\r\n\r\n`, 400],
  ["GET with a body by length", get(length("body"), "body"), 400],
  ["GET with a body in chunks", get("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n"), 400],
  ["a header beyond 16 KiB", get(`X-A: ${"x".repeat(17_000)}`), 431],
  [
    "many headers beyond 16 KiB",
    get(Array.from({ length: 900 }, (_, n) => `X-${n}: ${"y".repeat(20)}`).join("\r\n")),
    431,
  ],
];

for (const [name, text, status] of refused) {
  test(`${name}: ${status}, and the connection ends`, async () => {
    const answers = await answersTo(text + marker);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [status],
    );
  });
}

test("two Host headers are refused although the answer is ready-made", async () => {
  const [first] = await answersTo(marker);
  assert.equal(first?.status, 200);
  const [second] = await answersTo(get("Host: b"));
  assert.equal(second?.status, 400);
});

const targets: readonly (readonly [string, string, readonly number[]])[] = [
  ["an absolute target", `GET http://a${list}`, [200, 400]],
  ["another server's absolute target", "GET http://example.org/x", [400, 404]],
  ["OPTIONS *", "OPTIONS *", [400, 405]],
  ["a target without a slash", "GET example.com/hello/@v/list", [400]],
  ["a target beyond the limit", `GET /${"a".repeat(5_000)}/@v/list`, [400, 404, 414]],
  ["a target with a fragment", `GET ${list}#x`, [400, 404]],
];

for (const [name, line, statuses] of targets) {
  test(`${name} is answered with ${statuses.join(" or ")}`, async () => {
    const [answer] = await answersTo(`${line} HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
    assert.ok(statuses.includes(answer?.status ?? 0), String(answer?.status));
  });
}

test("pipelined requests are answered in their order", async () => {
  const paths = [list, "/-/livez", "/example.com/hello/@v/v9.9.9.info", "/example.com/hello/@v/v1.0.0.mod"];
  const texts = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const answers = await answersTo(texts.join("") + marker);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 404, 200, 200],
  );
  assert.deepEqual([answers[0]?.body, answers[1]?.body, answers[4]?.body], [listed, "ok\n", listed]);
});

test("a client that sends its header byte by byte is closed", async () => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const closed = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(text));
  });
  let at = 0;
  const drip = setInterval(() => socket.write(`GET ${list} HTTP/1.1\r\n`[at++] ?? "x"), 100);
  const text = await closed;
  clearInterval(drip);
  assert.match(text, /^(HTTP\/1\.1 408 |$)/);
});

for (const [name, start] of [
  ["nothing", ""],
  ["half a request line", "GET /exam"],
  ["a header without an end", `GET ${list} HTTP/1.1\r\nHost: a\r\n`],
  ["half a body", `POST ${list} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`],
] as const) {
  test(`a client that sends ${name} and then waits is closed`, async () => {
    const answers = parseAnswers(await converse(url, start));
    assert.ok(answers.every(({ status }) => status >= 400));
  });
}

test("one address gets no more connections than it may have; the others are closed at once", async () => {
  const { hostname, port } = new URL(url);
  // Each is held open with an answered request.
  const open = await Promise.all(Array.from({ length: perAddress + 20 }, () => keptOpen(hostname, Number(port))));
  const held = open.filter((socket) => socket !== undefined);
  assert.ok(held.length <= perAddress, String(held.length));
  assert.ok(held.length >= perAddress - 20, String(held.length));
  const ended = held.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  for (const socket of held) socket.destroy();
  await Promise.all(ended);
  for (;;) if ((await keptOpen(hostname, Number(port)))?.destroy() !== undefined) break;
});

/** A connection on which a request was answered; undefined when the server closed it. */
function keptOpen(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("error", () => undefined);
    socket.once("data", () => resolve(socket));
    socket.once("close", () => resolve(undefined));
    socket.write("GET /-/livez HTTP/1.1\r\nHost: a\r\n\r\n");
  });
}
