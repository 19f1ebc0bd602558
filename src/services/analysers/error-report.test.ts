import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { maxLogChars } from "./error-lines.ts";
import { explainErrors } from "./error-report.ts";
import type { ErrorReport } from "./error-report.ts";

const codesOf = (all: ErrorReport["causes"]): string[] => all.map(({ finding }) => finding.code);
const causesOf = (text: string): string[] => codesOf(explainErrors(text).causes);
const noHost = 'Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host';

suite("what stands in front of a line is passed over", () => {
  const line = `go: example.com/m@v1.0.0: ${noHost}`;
  for (const before of [
    "2026-11-29T10:00:00.1234567Z ",
    "[2026-11-29T10:00:00Z] ",
    "2026/11/29 10:00:00 ",
    "2026-11-29T10:00:00.123456Z 00O ",
    "10:00:00 ",
    "#12 3.456 ",
    "#12 ERROR: ",
    "##[error]",
    "::error file=x.go,line=3::",
    "build-1  | ",
    "E1129 10:00:00.000000    1 build.go:12] ",
    "Nov 29 10:00:00 host ci[123]: ",
    "[build] ",
    "> ",
    "\u001b[31m",
    "\u001b]0;title\u0007",
    "downloading 10%\r",
  ])
    test(JSON.stringify(before), () => {
      const { causes } = explainErrors(`${before}${line}\u001b[0m`);
      assert.deepEqual(codesOf(causes), ["GO_ERR_NO_SUCH_HOST"]);
      assert.deepEqual(causes[0]?.finding.evidence, [{ kind: "seen", text: `1: ${line}` }]);
    });
});

test("the cause comes first, what only follows behind it, what is no failure last", () => {
  const report = explainErrors(
    [
      "go: warning: example.com/old@v1.0.0: retracted by module author",
      "x.go:3:8: no required module provides package example.com/a; to add it:",
      "go: example.com/b@v1.0.0: reading https://p.example/example.com/b/@v/v1.0.0.info: 502 Bad Gateway",
      `go: example.com/m@v1.0.0: ${noHost}`,
      "make: *** [Makefile:3: build] Error 1",
    ].join("\n"),
  );
  assert.deepEqual(codesOf(report.causes), ["GO_ERR_NO_SUCH_HOST", "GO_ERR_GATEWAY"]);
  assert.deepEqual(codesOf(report.follows), ["GO_NO_MODULE_FOR_PACKAGE", "GO_COMMAND_ENDED"]);
  assert.deepEqual(codesOf(report.notices), ["GO_RETRACTED"]);
});

test("a missing requirement alone is a cause: nothing in the network failed", () => {
  assert.deepEqual(causesOf("x.go:3:8: no required module provides package example.com/a; to add it:"), [
    "GO_NO_MODULE_FOR_PACKAGE",
  ]);
});

test("repeats are one finding with their number, by host", () => {
  const line = (module: string, host: string): string =>
    `go: ${module}@v1.0.0: reading https://${host}/${module}/@v/v1.0.0.info: 502 Bad Gateway`;
  const texts = Array.from({ length: 40 }, (_, i) => line(`example.com/m${i}`, "a.example"));
  const { causes } = explainErrors([...texts, line("example.com/x", "b.example")].join("\n"));
  assert.deepEqual(
    causes.map(({ count, finding }) => [count, finding.fields["host"], finding.evidence.length]),
    [
      [40, "a.example", 3],
      [1, "b.example", 1],
    ],
  );
});

test("what a server wrote below an error is not read as go's own words", () => {
  const text = [
    "go: example.com/m@v1.0.0: reading https://p.example/example.com/m/@v/v1.0.0.info: 404 Not Found",
    "\tserver response:",
    "\tnot found: example.com/m@v1.0.0: dial tcp 10.0.0.1:443: connect: connection refused",
  ].join("\n");
  assert.deepEqual(causesOf(text), ["GO_ERR_NOT_FOUND"]);
  assert.deepEqual(causesOf(text.replaceAll("\t", "2026-11-29T10:00:00Z \t")), ["GO_ERR_NOT_FOUND"]);
});

test("our own code says more than the status it came with, and may pass or not", () => {
  const text = (code: string): string =>
    `go: example.com/m@v1.0.0: reading http://g.example/example.com/m/@v/v1.0.0.zip: 502 Bad Gateway\n\tserver response:\n\t${code}: why.\n\tAsk again.`;
  const { causes } = explainErrors(text("GRANARY_SUMDB_MISMATCH"));
  assert.deepEqual(codesOf(causes), ["GO_GRANARY_ANSWER"]);
  assert.deepEqual(causes[0]?.finding.fields, {
    what: "example.com/m@v1.0.0",
    host: "g.example",
    value: "GRANARY_SUMDB_MISMATCH",
  });
  assert.deepEqual(causes[0].finding.checks, ["granary explain GRANARY_SUMDB_MISMATCH"]);
  assert.equal(causes[0].class, "answer");
  assert.equal(explainErrors(text("GRANARY_UPSTREAM_TIMEOUT")).causes[0]?.class, "transient");
});

test("a SECURITY ERROR block is one finding, with module and database", () => {
  const { causes, unknown } = explainErrors(
    [
      "go: example.com/m@v1.0.0: verifying module: checksum mismatch",
      "\tdownloaded: h1:AAAA",
      "\tsum.golang.org: h1:BBBB",
      "",
      "SECURITY ERROR",
      "This download does NOT match the one reported by the checksum server.",
      "The bits may have been replaced on the origin server, or an attacker may",
      "have intercepted the download attempt.",
    ].join("\n"),
  );
  assert.deepEqual(codesOf(causes), ["GO_SUMDB_MISMATCH"]);
  assert.deepEqual(causes[0]?.finding.fields, {
    what: "example.com/m@v1.0.0",
    host: "sum.golang.org",
    value: "h1:BBBB",
  });
  assert.equal(unknown.count, 0);
});

test("passwords are not repeated", () => {
  const { causes } = explainErrors(
    'go: example.com/m@v1.0.0: Get "https://li:hunter2@p.example/x": dial tcp 1.2.3.4:443: i/o timeout',
  );
  assert.doesNotMatch(JSON.stringify(causes), /hunter2/);
});

test("nothing of a log becomes part of a command to paste, but plain words", () => {
  const { causes } = explainErrors("go: x@v1: dial tcp: lookup a$(reboot).example: no such host");
  assert.deepEqual(causes[0]?.finding.checks, ["granary env lint"]);
});

test("a text that nobody knows is shown, and counted", () => {
  const { causes, unknown } = explainErrors("go: downloading example.com/m v1.0.0\nflux capacitor: fatal error 88\n");
  assert.deepEqual(causes, []);
  assert.deepEqual(unknown, { texts: ["2: flux capacitor: fatal error 88"], count: 1 });
  assert.deepEqual(explainErrors("ok  \texample.com/m\t0.1s\n").unknown.count, 0);
});

test("a trace tells which requests failed, were slow, or never ended; probes that are absent are no failure", () => {
  const { causes, notices, requests } = explainErrors(
    [
      "# get https://p.example/a/@v/list",
      "# get https://p.example/a/@v/list: 404 Not Found (0.010s)",
      "# get https://p.example/a/b/@v/list",
      "# get https://p.example/a/b/@v/list: 200 OK (4.500s)",
      "# get https://q.example/c/@v/v1.0.0.info",
    ].join("\n"),
  );
  assert.deepEqual(codesOf(causes), ["GO_TRACE_UNANSWERED"]);
  assert.deepEqual(codesOf(notices), ["GO_TRACE_SLOW"]);
  assert.deepEqual(
    requests.map(({ host, requests: asked, outcomes, slowestMs, unansweredCount }) => [
      host,
      asked,
      outcomes,
      slowestMs,
      unansweredCount,
    ]),
    [
      ["p.example", 2, { "404 Not Found": 1, "200 OK": 1 }, 4_500, 0],
      ["q.example", 1, {}, 0, 1],
    ],
  );
});

test("what was under way when go gave up is no cause", () => {
  const { causes, follows } = explainErrors(
    [
      "# get https://p.example/a/@v/v1.0.0.info",
      "# get https://p.example/b/@v/v1.0.0.info",
      "# get https://p.example/b/@v/v1.0.0.info: 502 Bad Gateway (0.010s)",
    ].join("\n"),
  );
  assert.deepEqual([codesOf(causes), codesOf(follows)], [["GO_ERR_GATEWAY"], ["GO_TRACE_UNANSWERED"]]);
});

test("who failed is named: the host that was asked, not one of its addresses, and never the one behind an HTTP proxy", () => {
  const hostOf = (text: string): unknown => explainErrors(text).causes[0]?.finding.fields["host"];
  const get = 'go: example.com/m@v1.0.0: Get "https://p.example/x":';
  assert.equal(hostOf(`${get} dial tcp 142.251.41.17:443: i/o timeout`), "p.example");
  assert.equal(hostOf("dial tcp 142.251.41.17:443: i/o timeout"), "142.251.41.17:443");
  assert.equal(
    hostOf(`${get} proxyconnect tcp: dial tcp 127.0.0.1:7890: connect: connection refused`),
    "127.0.0.1:7890",
  );
  assert.equal(hostOf(`${get} Bad Gateway`), "");
});

suite("RST_STREAM 8 is told by its direction", () => {
  const asked = "http2: Framer 0xc000: wrote HEADERS flags=END_STREAM|END_HEADERS stream=13 len=40\n";
  const answered = "http2: Framer 0xc000: read HEADERS flags=END_HEADERS stream=13 len=40\n";
  test("wrote: this side cancelled", () => {
    const { causes, notices } = explainErrors(`${asked}http2: Framer 0xc000: wrote RST_STREAM stream=13 errcode=8\n`);
    assert.deepEqual([codesOf(causes), codesOf(notices)], [[], ["GO_H2_CLIENT_CANCELLED"]]);
  });
  test("wrote after an answer: only what was not read to its end", () => {
    const { notices } = explainErrors(
      `${asked}${answered}http2: Framer 0xc000: wrote RST_STREAM stream=13 len=4 ErrCode=CANCEL\n`,
    );
    assert.deepEqual(codesOf(notices), []);
  });
  test("read: the server did", () => {
    const { causes, http2 } = explainErrors(
      `${asked}http2: Framer 0xc000: read RST_STREAM stream=13 len=4 ErrCode=CANCEL\n`,
    );
    assert.deepEqual(codesOf(causes), ["GO_H2_SERVER_RESET"]);
    assert.deepEqual(http2?.resets, { "read CANCEL": 1 });
  });
  test("asked, and nothing at all", () => {
    assert.deepEqual(codesOf(explainErrors(asked).causes), ["GO_H2_NO_ANSWER"]);
  });
});

test("of a long text the end is read, and its lines keep their numbers", () => {
  const filler = "nothing of note\n".repeat(1 + maxLogChars / 16);
  const { causes } = explainErrors(`${filler}go: ${noHost}\n`);
  assert.match(causes[0]?.finding.evidence[0]?.text ?? "", new RegExp(`^${filler.split("\n").length}: go`));
});
