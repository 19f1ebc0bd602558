import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "./direct-places.ts";

const places = new Places({
  places: [
    { prefix: "git.corp.example", password: "wide" },
    { prefix: "git.corp.example/team", password: "narrow", user: "bob" },
    { prefix: "go.corp.example/tool", url: "https://code.corp.example/tools/tool.git", password: "tool" },
  ],
  modules: "git.corp.example/*, *.lab.example/x ,Sub.Corp.Example/y",
  cidrs: [],
  readPem: (_, file) => file,
});
const passwordAt = (host: string, path: string): string | undefined => places.at(host, path)?.password;

test("the narrowest place answers, at a slash, for its own host only", () => {
  assert.equal(passwordAt("git.corp.example", "/team/x"), "narrow");
  assert.equal(passwordAt("GIT.corp.example", "/team"), "narrow");
  assert.equal(passwordAt("git.corp.example", "/teams/x"), "wide");
  assert.equal(passwordAt("git.corp.example", "/"), "wide");
  assert.equal(passwordAt("git.corp.example.evil.example", "/team/x"), undefined);
  assert.equal(passwordAt("code.corp.example", "/tools/tool.git/info/refs"), "tool");
  assert.equal(passwordAt("go.corp.example", "/tool"), undefined);
});

test("hosts that are written out are named, those below a glob are not", () => {
  for (const host of ["git.corp.example", "sub.corp.example", "code.corp.example"])
    assert.ok(places.isNamed(host), host);
  for (const host of ["a.lab.example", "lab.example", "corp.example", "go.corp.example"])
    assert.ok(!places.isNamed(host), host);
});

test("a url says where the modules of its name are, and below", () => {
  assert.equal(places.ofModule("go.corp.example/tool/v2")?.url, "https://code.corp.example/tools/tool.git");
  assert.equal(places.ofModule("go.corp.example/toolbox"), undefined);
  assert.equal(places.ofModule("git.corp.example/team"), undefined);
});

test("every spelling of a password is a secret", () => {
  assert.ok(places.secrets.includes(Buffer.from("bob:narrow").toString("base64")));
  assert.ok(places.secrets.includes("wide"));
});
