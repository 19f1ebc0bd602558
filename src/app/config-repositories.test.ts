import assert from "node:assert/strict";
import { test } from "node:test";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { loadConfig, reloadConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { configuredChain } from "./configured.ts";

const netrc = "machine git.corp.example login ci password p4ss\nmachine c.example login a:b password other\n";

function load(
  yaml: string,
  more: { env?: Record<string, string>; flags?: Record<string, string> } = {},
): Promise<Config> {
  const files: Record<string, string> = { "/c.yaml": yaml, "/run/token": "t0ken\n", "/home/dev/.netrc": netrc };
  return loadConfig({
    flags: { values: more.flags ?? {}, config: "/c.yaml" },
    machine: {
      env: more.env ?? {},
      platform: "linux",
      home: "/home/dev",
      readFile: (path) => Promise.resolve(files[path]),
    },
  });
}

const kinds = (config: Config): readonly string[] => configuredChain(config, []).upstreams.map(({ kind }) => kind);

test("one setting: the modules are private, and built from their repositories", async () => {
  const config = await load("direct:\n  modules: git.corp.example/*\n");
  assert.equal(config.values.private, "git.corp.example/*");
  assert.deepEqual(kinds(config).at(-1), "direct");
  const both = await load("private: a.example/*\ndirect:\n  modules: git.corp.example/*\n");
  assert.equal(both.values.private, "a.example/*,git.corp.example/*");
});

test("`direct` counts where the operator wrote it, not in the machine's own GOPROXY", async () => {
  assert.ok(!kinds(await load("", { env: { GOPROXY: "https://a.example,direct" } })).includes("direct"));
  assert.ok(kinds(await load("upstream: https://a.example,direct\n")).includes("direct"));
  assert.ok(kinds(await load("", { flags: { upstream: "https://a.example,direct" } })).includes("direct"));
  assert.ok(kinds(await load("", { env: { GRANARY_UPSTREAM: "direct" } })).includes("direct"));
});

test("a repository's password is resolved, and a plain one is warned of", async () => {
  const config = await load(
    "repositories:\n  git.corp.example/team:\n    user: bob\n    password: file:/run/token\n    address: 10.1.2.3:8443\n  b.example:\n    password: plain\n    http: on\n",
  );
  assert.deepEqual(config.repositories, [
    { prefix: "git.corp.example/team", user: "bob", password: "t0ken", address: "10.1.2.3:8443" },
    { prefix: "b.example", password: "plain", http: true },
  ]);
  assert.deepEqual(
    config.warnings.map(({ key }) => key),
    ["repositories.b.example.password"],
  );
});

test("user and password may come from a netrc file; what it lacks is told without its secrets", async () => {
  const config = await load("repositories:\n  git.corp.example/team:\n    netrc: /home/dev/.netrc\n");
  assert.deepEqual(config.repositories, [{ prefix: "git.corp.example/team", user: "ci", password: "p4ss" }]);
  for (const place of ["b.example", "c.example"])
    await assert.rejects(load(`repositories:\n  ${place}:\n    netrc: /home/dev/.netrc\n`), (error: unknown) => {
      assert.ok(isGranaryError(error, "GRANARY_BAD_CONFIG"));
      assert.match(error.fields.key, /netrc$/);
      assert.doesNotMatch(JSON.stringify(error.fields), /p4ss|other/);
      return true;
    });
});

test("a goauth command is a list, or a line that is split at its spaces", async () => {
  const of = async (value: string) =>
    (await load(`repositories:\n  a.example:\n    goauth: ${value}\n`)).repositories[0]?.goauth;
  assert.deepEqual(await of("[/usr/bin/token, --for, 'a b']"), ["/usr/bin/token", "--for", "a b"]);
  assert.deepEqual(await of("/usr/bin/token  --for a"), ["/usr/bin/token", "--for", "a"]);
});

for (const [name, line] of [
  ["go's own word for netrc", "repositories:\n  a.example:\n    goauth: netrc\n"],
  ["go's own word for git", "repositories:\n  a.example:\n    goauth: git /srv/x\n"],
  ["a quoted goauth line", 'repositories:\n  a.example:\n    goauth: token "a b"\n'],
  ["an empty goauth list", "repositories:\n  a.example:\n    goauth: []\n"],
  ["goauth and a password", "repositories:\n  a.example:\n    goauth: token\n    password: file:/run/token\n"],
  ["goauth and a netrc file", "repositories:\n  git.corp.example:\n    goauth: token\n    netrc: /home/dev/.netrc\n"],
  ["a place that is no path", "repositories:\n  https://git.corp.example:\n    user: x\n"],
  ["a place with a port", "repositories:\n  git.corp.example:8443:\n    user: x\n"],
  ["a key without host keys", "repositories:\n  a.example:\n    sshKey: /k\n"],
  ["host keys without a key", "repositories:\n  a.example:\n    knownHosts: /k\n"],
  ["a path with a quote", 'repositories:\n  a.example:\n    sshKey: "/k\'"\n    knownHosts: /h\n'],
  ["a relative path", "repositories:\n  a.example:\n    ca: ca.pem\n"],
  ["a name as address", "repositories:\n  a.example:\n    address: b.example:443\n"],
  ["an ssh address that is an option", "repositories:\n  a.example:\n    sshAddress: -oProxyCommand=x\n"],
  ["an ssh address with a space", "repositories:\n  a.example:\n    sshAddress: a b\n"],
  ["an impossible ssh port", "repositories:\n  a.example:\n    sshAddress: ssh.a.example:99999\n"],
  ["an impossible port", "repositories:\n  a.example:\n    address: 10.0.0.1:99999\n"],
  ["a url of another scheme", "repositories:\n  a.example/x:\n    url: file:///x\n"],
  ["a url with credentials", "repositories:\n  a.example/x:\n    url: https://a:b@a.example/x\n"],
  ["a url with an option", "repositories:\n  a.example/x:\n    url: https://a.example/-x\n"],
  ["a user with a colon", "repositories:\n  a.example/x:\n    user: a:b\n"],
  ["a password on two lines", 'repositories:\n  a.example/x:\n    password: "a\\nb"\n'],
] as const)
  test(`refused: ${name}`, () => assert.rejects(load(line), { code: "GRANARY_BAD_CONFIG" }));

test("an unknown key names the nearest one", () =>
  assert.rejects(load("repositories:\n  a.example:\n    pasword: x\n"), {
    code: "GRANARY_UNKNOWN_SETTING",
    fields: {
      origin: "file /c.yaml:3",
      key: "repositories.a.example.pasword",
      nearest: "repositories.a.example.password",
    },
  }));

test("an unreadable password is an error that does not show it", () =>
  assert.rejects(load("repositories:\n  a.example:\n    password: file:/nowhere\n"), {
    code: "GRANARY_SECRET_UNREADABLE",
  }));

test("a changed repository needs a restart", async () => {
  const files: Record<string, string> = { "/c.yaml": "repositories:\n  a.example:\n    user: x\n" };
  const config = await loadConfig({
    flags: { values: {}, config: "/c.yaml" },
    machine: { env: {}, platform: "linux", home: "/home/dev", readFile: (path) => Promise.resolve(files[path]) },
  });
  files["/c.yaml"] = "repositories:\n  a.example:\n    user: y\n";
  const reload = await reloadConfig(config);
  assert.ok(reload.verdict === "refused" && reload.reason.code === "GRANARY_NEEDS_RESTART");
});
