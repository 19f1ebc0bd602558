import assert from "node:assert/strict";
import { test } from "node:test";
import { formatJunit } from "./junit.ts";

test("each verdict is what CI servers call it, and no text breaks the file", () => {
  const recorded = { hash: "h1:b", database: "sum.test", number: 7 };
  const line = (at: number, facts: object) => ({ file: "a&b/go.sum", line: at, what: "m v1.0.0", ...facts });
  const xml = formatJunit({
    files: ["a&b/go.sum"],
    lines: [
      line(1, { verdict: "ok" }),
      line(2, { verdict: "mismatch", hash: 'h1:"<a>', recorded }),
      line(3, { verdict: "malformed", what: "\u0001\ud800 >", reason: "no\u0000 ]]>" }),
      line(4, { verdict: "unverified", reason: "timeout" }),
      line(5, { verdict: "private" }),
    ] as never,
    wasInterrupted: false,
  });
  assert.equal(
    xml,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sumverify">
  <testsuite name="a&#38;b/go.sum" tests="5" failures="2" errors="1" skipped="1">
    <testcase classname="a&#38;b/go.sum" name="1: m v1.0.0"/>
    <testcase classname="a&#38;b/go.sum" name="2: m v1.0.0"><failure type="mismatch" message="go.sum h1:&#34;&#60;a&#62;, sum.test h1:b"/></testcase>
    <testcase classname="a&#38;b/go.sum" name="3: ?? &#62;"><failure type="malformed" message="no? ]]&#62;"/></testcase>
    <testcase classname="a&#38;b/go.sum" name="4: m v1.0.0"><error type="unverified" message="timeout"/></testcase>
    <testcase classname="a&#38;b/go.sum" name="5: m v1.0.0"><skipped message="private"/></testcase>
  </testsuite>
</testsuites>
`,
  );
});
