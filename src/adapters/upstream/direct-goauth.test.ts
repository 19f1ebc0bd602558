import assert from "node:assert/strict";
import { test } from "node:test";
import { GoAuthFault, PlaceCredentials, secretsIn } from "./direct-goauth.ts";
import { Places } from "./direct-places.ts";

const places = new Places({
  places: [
    { prefix: "a.example", goauth: ["token", "-a"] },
    { prefix: "a.example/known", password: "p4ss", user: "u" },
    { prefix: "b.example/team", goauth: ["other"] },
  ],
  modules: "",
  cidrs: [],
  readPem: (_, file) => file,
});
const never = new AbortController().signal;
const url = (text: string): URL => new URL(`https://${text}`);
const refusal = { status: 401, reason: "Unauthorized", headers: [] };

function scene(answer: (argv: readonly string[]) => string | Promise<string>) {
  const runs: string[] = [];
  const goauth = async (argv: readonly string[], input: string): Promise<string> => {
    runs.push([...argv, ...(input === "" ? [] : [input.split("\n")[0] ?? ""])].join(" "));
    return await answer(argv);
  };
  return { credentials: new PlaceCredentials({ places, goauth }), runs };
}

test("a command runs once, however many ask, and again with the URL and the answer when it is refused", async () => {
  const { credentials, runs } = scene((argv) => `https://a.example\n\nA: ${argv.length}\n\n`);
  const all = ["a.example/x", "a.example/y"].map((at) => credentials.of(url(at), never));
  assert.deepEqual(await Promise.all(all), [[["A", "2"]], [["A", "2"]]]);
  assert.deepEqual(runs, ["token -a"]);
  assert.deepEqual(await credentials.again(url("a.example/x?go-get=1"), refusal, never), [["A", "3"]]);
  assert.equal(runs[1], "token -a https://a.example/x?go-get=1 HTTP/1.1 401 Unauthorized");
  assert.deepEqual(await credentials.of(url("a.example/y"), never), [["A", "3"]]);
  assert.equal(runs.length, 2);
});

test("it is asked for its own place, over TLS, and a password's place asks nobody", async () => {
  const { credentials, runs } = scene(() => "https://a.example\nhttps://b.example\nhttps://c.example\n\nA: 1\n\n");
  for (const at of ["b.example/other", "c.example/x"]) assert.deepEqual(await credentials.of(url(at), never), []);
  assert.deepEqual(await credentials.of(new URL("http://a.example/x"), never), []);
  assert.deepEqual(await credentials.of(url("a.example/known/x"), never), [["authorization", "Basic dTpwNHNz"]]);
  assert.equal(await credentials.again(url("a.example/known/x"), refusal, never), undefined);
  assert.equal(credentials.isCommanded(url("a.example/known/x")), false);
  assert.deepEqual(runs, []);
  assert.deepEqual(await credentials.of(url("b.example/team/x"), never), [["A", "1"]]);
  assert.deepEqual(runs, ["other"]);
});

test("credentials that it takes back are gone, and what it does not speak of stays", async () => {
  let text = "https://a.example/x\nhttps://a.example/y\n\nA: 1\n\n";
  const { credentials } = scene(() => text);
  await credentials.of(url("a.example/x"), never);
  text = "https://a.example/x\n\n\n";
  assert.equal(await credentials.again(url("a.example/x"), refusal, never), undefined);
  assert.deepEqual(await credentials.of(url("a.example/x"), never), []);
  assert.deepEqual(await credentials.of(url("a.example/y"), never), [["A", "1"]]);
});

test("a fault names the place and shows nothing of what was said; the next one asks anew", async () => {
  let isBroken = true;
  const { credentials, runs } = scene(() => (isBroken ? "hunter2" : "https://a.example\n\nA: 1\n\n"));
  await assert.rejects(credentials.of(url("a.example/x"), never), (error: unknown) => {
    assert.ok(error instanceof GoAuthFault);
    assert.match(error.message, /goauth command of a\.example said what go would not read: line 1 has no line break/);
    return true;
  });
  isBroken = false;
  assert.deepEqual(await credentials.of(url("a.example/x"), never), [["A", "1"]]);
  assert.equal(runs.length, 2);
});

test("a command that names more prefixes than anybody needs fills no memory", async () => {
  let n = 0;
  const prefixes = (): string => Array.from({ length: 600 }, () => `https://a.example/${n++}\n`).join("");
  const { credentials } = scene(() => `${prefixes()}\nA: 1\n\n`);
  await credentials.of(url("a.example/0"), never);
  await credentials.again(url("a.example/0"), refusal, never);
  assert.deepEqual(await credentials.of(url("a.example/0"), never), []);
  assert.deepEqual(await credentials.of(url("a.example/1199"), never), [["A", "1"]]);
});

test("whoever gives up waits no longer", async () => {
  const stop = new AbortController();
  const { credentials } = scene(() => new Promise<string>(() => undefined));
  const waiting = credentials.of(url("a.example/x"), stop.signal);
  stop.abort(new Error("gave up"));
  await assert.rejects(waiting, /gave up/);
});

test("every spelling of a secret is known", () => {
  const pair = Buffer.from("u:p4ss word").toString("base64");
  assert.deepEqual(
    [
      ...new Set(
        secretsIn([
          ["Authorization", `Basic ${pair}`],
          ["Private-Token", "t0ken"],
          ["X", "1"],
        ]),
      ),
    ].toSorted(),
    [`Basic ${pair}`, pair, "p4ss word", "p4ss%20word", "t0ken"].toSorted(),
  );
});
