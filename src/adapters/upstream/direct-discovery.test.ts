import assert from "node:assert/strict";
import { test } from "node:test";
import { importPage, judge } from "./direct-discovery.ts";
import { Places } from "./direct-places.ts";

const module = "git.corp.example/team/x";
const places = new Places({
  places: [
    { prefix: "plain.corp.example", http: true },
    { prefix: "keys.corp.example", sshKey: "/k", knownHosts: "/h" },
  ],
  modules: "git.corp.example/*",
  cidrs: [],
  readPem: (_, file) => file,
});
const url = new URL(`https://${module}?go-get=1`);
const meta = (content: string): string =>
  `<html><head><meta name="go-import" content="${content}"></head><body></body></html>`;
const page = (text: string, more: { status?: number; wasRedirected?: boolean } = {}) =>
  judge(module, { url, status: 200, wasRedirected: false, text, ...more }, places);

const found = [
  [
    "the module's own",
    meta(`${module} git https://git.corp.example/team/x.git`),
    "https://git.corp.example/team/x.git",
  ],
  ["a parent's", meta("git.corp.example/team git https://git.corp.example/mono"), "https://git.corp.example/mono"],
  [
    "single quotes, odd order",
    `<META content='${module} git https://a.example/x' name=go-import>`,
    "https://a.example/x",
  ],
  [
    "after tags of others",
    meta("other.example git https://other.example/x").replace(
      "</head>",
      `<meta name="go-import" content="${module} git https://a.example/x"></head>`,
    ),
    "https://a.example/x",
  ],
  ["plain http where it is allowed", meta(`${module} git http://plain.corp.example/x`), "http://plain.corp.example/x"],
  [
    "ssh where there is a key",
    meta(`${module} git ssh://git@keys.corp.example/x.git`),
    "ssh://git@keys.corp.example/x.git",
  ],
  ["a port", meta(`${module} git https://git.corp.example:8443/x`), "https://git.corp.example:8443/x"],
] as const;
for (const [name, text, repo] of found)
  test(`a tag is taken: ${name}`, () => {
    const discovered = page(text);
    assert.equal(discovered.kind === "found" ? discovered.repo : JSON.stringify(discovered), repo);
  });

test("a tag counts whatever the status is, and not in the body or a comment", () => {
  assert.equal(page(meta(`${module} git https://a.example/x`), { status: 404 }).kind, "found");
  assert.equal(page(`<head></head><body>${meta(`${module} git https://a.example/x`)}`).kind, "absent");
  assert.equal(page(`<!-- ${meta(`${module} git https://a.example/x`)} -->`).kind, "absent");
});

const nothing = [
  ["200 and no tag", {}, "absent"],
  ["404", { status: 404 }, "absent"],
  ["410", { status: 410 }, "absent"],
  ["401", { status: 401 }, "doubt"],
  ["403", { status: 403 }, "doubt"],
  ["500", { status: 500 }, "doubt"],
  ["302 without Location", { status: 302 }, "doubt"],
  ["a page that we were sent to", { wasRedirected: true }, "doubt"],
] as const;
for (const [name, more, kind] of nothing)
  test(`no tag: ${name} is ${kind}`, () => assert.equal(page("<html></html>", more).kind, kind));

const refused = [
  `${module} git file:///etc`,
  `${module} git ext::sh`,
  `${module} git --upload-pack=x`,
  `${module} git https://-x.example/y`,
  `${module} git https://a.example/-x`,
  `${module} git https://a.example/../x`,
  `${module} git https://u:p@a.example/x`,
  `${module} git https://a.example/x?y`,
  `${module} git https://a.example/x#y`,
  `${module} git http://a.example/x`,
  `${module} git ssh://git@a.example/x`,
  `${module} git git://a.example/x`,
  `${module} git a.example:x`,
  `${module} hg https://a.example/x`,
  `${module} mod https://a.example/x`,
  `${module} git https://a.example/x /sub`,
  `${module} git https://a.example/x -sub`,
  `${module} git https://a.example/x a/../b`,
  `${module} git https://a.example/${"x".repeat(3000)}`,
] as const;
for (const content of refused)
  test(`a tag is not taken: ${content.slice(0, 80)}`, () => assert.equal(page(meta(content)).kind, "doubt"));

test("a prefix ends at a slash, and two tags decide nothing", () => {
  assert.equal(page(meta("git.corp.example/tea git https://a.example/x")).kind, "absent");
  assert.equal(
    page(
      meta(`${module} git https://a.example/x`).replace(
        "</head>",
        `<meta name="go-import" content="${module} git https://b.example/x"></head>`,
      ),
    ).kind,
    "doubt",
  );
});

test("what go is shown has the tag and nothing else", () => {
  const shown = importPage({ kind: "found", prefix: module, repo: "https://a.example/x", subdir: "sub" });
  assert.equal(
    shown,
    `<html><head><meta name="go-import" content="${module} git https://a.example/x sub"></head></html>\n`,
  );
});
