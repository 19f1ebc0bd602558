import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxyList } from "#protocol/proxylist.ts";
import { buildChain } from "./chain.ts";
import { mayBeAsked } from "./route.ts";

test("entries keep their order, separators and URLs; direct leaves the chain and is remembered", () => {
  const chain = buildChain(parseProxyList("https://me:pw@a.test/base/?k=1,file:///srv/mod|b.test,direct"));
  assert.deepEqual(
    chain.upstreams.map(({ name, url, kind, separator }) => [name, url, kind, separator]),
    [
      ["a.test/base", "https://me:pw@a.test/base?k=1", "http", ","],
      ["file:///srv/mod", "file:///srv/mod", "file", "|"],
      ["b.test", "https://b.test", "http", ","],
    ],
  );
  assert.deepEqual([chain.hadDirect, chain.hadOff], [true, false]);
});

test("off alone is an empty chain", () => {
  assert.deepEqual(buildChain(parseProxyList("off")), {
    upstreams: [],
    shadows: [],
    hadDirect: false,
    hadOff: true,
    own: [],
  });
});

test("what is said of an upstream is found by its URL without userinfo and query", () => {
  const details = [
    {
      url: "https://a.test/base/",
      name: "first",
      authoritative: true,
      absent: [403],
      private: "corp.test/*",
      redirectCidrs: ["10.0.0.0/8"],
    },
    { url: "https://a.test/base", name: "second" },
  ];
  const [known, other] = buildChain(parseProxyList("https://u@a.test/base?x=1,https://a.test"), { details }).upstreams;
  assert.equal(known?.name, "first");
  assert.equal(known.authoritative, true);
  assert.deepEqual(known.absentStatuses, [404, 410, 403]);
  assert.deepEqual([known.privatePatterns, known.public], ["corp.test/*", false]);
  assert.deepEqual(known.redirectCidrs, ["10.0.0.0/8"]);
  assert.equal(other?.name, "a.test");
  assert.deepEqual([other.authoritative, other.public, other.absentStatuses], [false, true, [404, 410]]);
});

test("two upstreams never share a name, the same one twice does", () => {
  const names = buildChain(parseProxyList("http://a.test,https://a.test,http://a.test")).upstreams.map(
    ({ name }) => name,
  );
  assert.deepEqual(names, ["a.test", "a.test#2", "a.test"]);
});

const self = [
  ["http://127.0.0.1:8080", ["127.0.0.1:8080"], true],
  ["http://localhost:8080/x", ["127.0.0.1:8080"], true],
  ["http://[::1]:8080", ["0.0.0.0:8080"], true],
  ["http://127.0.0.1:8081", ["127.0.0.1:8080"], false],
  ["https://proxy.corp.test", ["proxy.corp.test:443"], true],
  ["http://10.0.0.1:8080", ["127.0.0.1:8080"], false],
  ["http://localhost:8080", ["10.0.0.1:8080"], false],
] as const;
for (const [url, listening, isOwn] of self)
  test(`${url} ${isOwn ? "is" : "is not"} the server on ${listening.join()}`, () => {
    const chain = buildChain(parseProxyList(`${url},b.test`), { listening });
    assert.equal(chain.upstreams.length, isOwn ? 1 : 2);
    assert.equal(chain.own.length, isOwn ? 1 : 0);
  });

test("a host no URL can carry is BAD_PROXY_LIST, not a crash", () => {
  assert.throws(() => buildChain([{ kind: "url", url: "https://a b.test", separator: "" }]), {
    code: "BAD_PROXY_LIST",
  });
});

const direct = { modules: "corp.test/*", isInList: false, silenceMs: 60_000 };
const withDirect = (list: string, more: Partial<typeof direct> = {}) =>
  buildChain(parseProxyList(list), { direct: { ...direct, ...more } });

test("modules that are built from repositories have an upstream of their own, the last one", () => {
  const chain = withDirect("https://a.test,direct");
  assert.deepEqual(
    chain.upstreams.map(({ name, kind, public: isPublic, privateOnly }) => [name, kind, isPublic, privateOnly]),
    [
      ["a.test", "http", true, undefined],
      ["direct", "direct", false, true],
    ],
  );
  assert.equal(chain.hadDirect, true, "the machine's `direct` was not followed, and is told");
  assert.equal(withDirect("off").upstreams.length, 1);
  assert.equal(withDirect("https://a.test,direct", { modules: "" }).upstreams.length, 1);
});

test("`direct` that the operator wrote is for every name", () => {
  const { upstreams, hadDirect } = withDirect("https://a.test,direct", { modules: "", isInList: true });
  assert.deepEqual([upstreams.at(-1)?.kind, upstreams.at(-1)?.privateOnly, hadDirect], ["direct", false, false]);
  assert.equal(withDirect("https://a.test", { modules: "", isInList: true }).upstreams.length, 1);
});

test("a repository hears of its own modules and their ancestors, of no public name, and of no database", () => {
  const [only] = withDirect("off").upstreams;
  const [all] = withDirect("direct", { isInList: true }).upstreams;
  const [open] = withDirect("direct", { modules: "", isInList: true }).upstreams;
  assert.ok(only && all && open);
  for (const [upstream, module, may] of [
    [only, "corp.test/x", true],
    [only, "corp.test", true],
    [only, "public.test/x", false],
    [only, "secret.test/x", false],
    [only, undefined, false],
    [all, "corp.test/x", true],
    [all, "public.test/x", true],
    [all, "secret.test/x", false],
    [open, "public.test/x", true],
    [open, "corp.test/x", false],
    [open, undefined, false],
  ] as const)
    assert.equal(
      mayBeAsked(upstream, module, "corp.test/*,secret.test/*"),
      may,
      `${upstream.privatePatterns} ${module}`,
    );
});
