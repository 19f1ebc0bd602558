import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { langs } from "#services/errors/sentences.ts";
import { areas, findingKind } from "./catalogue.ts";
import { byWeight, found, kind, wordsOf } from "./finding.ts";
import { exportLine, fixLines } from "./fix.ts";
import { redact, withoutCredentials } from "./redact.ts";
import { quoteFor, shellOf, shells } from "./shell.ts";

const sample = {
  SAMPLE_FAIL: kind<{ host: string }>("fail", "sample.md", {
    en: { title: ({ host }) => `${host} is down`, why: "It is.", advice: "Wait." },
    "zh-CN": { title: ({ host }) => `${host} 不可用`, why: "就是这样。" },
  }),
  SAMPLE_INFO: kind("info", "sample.md", {
    en: { title: () => "nothing", why: "Nothing." },
    "zh-CN": { title: () => "无", why: "无。" },
  }),
};

test("a finding speaks both languages from the same fields", () => {
  const finding = found(sample, "SAMPLE_FAIL", { host: "a.example" });
  assert.deepEqual(wordsOf(finding, "en"), { title: "a.example is down", why: "It is.", advice: "Wait." });
  assert.deepEqual(wordsOf(finding, "zh-CN"), { title: "a.example 不可用", why: "就是这样。" });
  assert.deepEqual([finding.severity, finding.confidence], ["fail", "certain"]);
});

test("byWeight() puts failures first and keeps the order otherwise", () => {
  const info = found(sample, "SAMPLE_INFO", {});
  const fail = found(sample, "SAMPLE_FAIL", { host: "a" });
  const warn = found(sample, "SAMPLE_FAIL", { host: "b" }, { severity: "warn" });
  assert.deepEqual(byWeight([info, warn, fail]), [fail, warn, info]);
});

suite("every code", () => {
  const codes = Object.values(areas).flatMap((area) => Object.keys(area));
  test("is in one area only, and of capitals", () => {
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.match(code, /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/);
  });
  for (const code of codes)
    test(code, () => {
      const { page, text } = findingKind(code) ?? assert.fail(code);
      const [file = "", anchor] = page.split("#");
      assert.ok(existsSync(`docs/${file}`), `docs/${file} is not there`);
      if (anchor !== undefined) {
        const headings = readFileSync(`docs/${file}`, "utf8").matchAll(/^#+ (.+)$/gm);
        const anchors = [...headings].map(([, heading = ""]) =>
          heading
            .toLowerCase()
            .replace(/[^\p{L}\p{N} _-]/gu, "")
            .replaceAll(" ", "-"),
        );
        assert.ok(anchors.includes(anchor), `${page}: ${anchors.join(" ")}`);
      }
      for (const lang of langs) {
        assert.ok(text[lang].why.length > 10 && /[.。]$/.test(text[lang].why), `${lang}: ${text[lang].why}`);
        for (const words of [text[lang].why, text[lang].advice ?? ""])
          assert.doesNotMatch(words, /GOSUMDB=off|GONOSUMDB=\*|curl -k|!$|！$/u);
      }
      assert.notEqual(text.en.why, text["zh-CN"].why);
      assert.match(text["zh-CN"].why, /\p{Script=Han}/u);
    });
});

test("a fix is lines for the user's shell", () => {
  const set = { kind: "set", values: { GOPROXY: "https://a.example|direct", GONOPROXY: "" } } as const;
  assert.deepEqual(fixLines(set, "bash"), ["go env -w 'GOPROXY=https://a.example|direct'", "go env -u GONOPROXY"]);
  assert.deepEqual(fixLines(set, "cmd"), ['go env -w "GOPROXY=https://a.example|direct"', "go env -u GONOPROXY"]);
  assert.deepEqual(fixLines({ kind: "run", argv: ["resolvectl", "flush-caches"], asRoot: true }, "zsh"), [
    "sudo resolvectl flush-caches",
  ]);
  assert.deepEqual(fixLines({ kind: "edit", file: "/etc/hosts", line: 3, before: "1.2.3.4 a.example" }, "fish"), [
    "/etc/hosts:3",
    "- 1.2.3.4 a.example",
  ]);
});

test("exportLine() sets and takes away, in every shell", () => {
  assert.deepEqual(
    shells.map((shell) => exportLine("A", "x y", shell)),
    ["export A='x y'", "export A='x y'", "set -gx A 'x y'", "$env:A = 'x y'", 'set "A=x y"'],
  );
  assert.deepEqual(
    shells.map((shell) => exportLine("A", "", shell)),
    ["unset A", "unset A", "set -e A", "Remove-Item Env:A", "set A="],
  );
});

test("exportLine() for PowerShell quotes what looks like a plain word, which it would run", () => {
  assert.equal(exportLine("GOSUMDB", "sum.example", "powershell"), "$env:GOSUMDB = 'sum.example'");
});

test("quoteFor() keeps quotes and percent signs in one word", () => {
  assert.equal(quoteFor("bash", "it's"), `'it'\\''s'`);
  assert.equal(quoteFor("powershell", "it's"), "'it''s'");
  assert.equal(quoteFor("fish", "it's"), "'it\\'s'");
  assert.equal(quoteFor("cmd", "50%"), '"50%%"');
  assert.equal(quoteFor("bash", "https://a.example"), "https://a.example");
});

test("shellOf() knows the login shell, and what Windows tells", () => {
  assert.equal(shellOf({ SHELL: "/usr/bin/zsh" }, "linux"), "zsh");
  assert.equal(shellOf({ SHELL: "/bin/dash" }, "linux"), "bash");
  assert.equal(shellOf({}, "win32"), "cmd");
  assert.equal(
    shellOf({ PSModulePath: "C:\\Users\\me\\Documents\\WindowsPowerShell\\Modules" }, "win32"),
    "powershell",
  );
});

test("what is pasted tells no secrets", () => {
  assert.equal(withoutCredentials("GET https://u:p@a.example/x → 401"), "GET https://***@a.example/x → 401");
  assert.equal(withoutCredentials("HTTPS_PROXY=u:p@proxy.example:8080"), "HTTPS_PROXY=***@proxy.example:8080");
  assert.equal(
    withoutCredentials("go: example.com/m@v1.0.0: git@a.example:x"),
    "go: example.com/m@v1.0.0: git@a.example:x",
  );
  assert.equal(withoutCredentials("Authorization: Bearer abc.def"), "Authorization: Bearer ***");
  const secrets = [
    { text: "corp.example", instead: "HOST-1" },
    { text: "git.corp.example", instead: "HOST-2" },
    { text: "/home/li", instead: "~" },
  ];
  assert.equal(redact("git.corp.example corp.example /home/li/go", secrets), "HOST-2 HOST-1 ~/go");
});
