// Conformance: what HTTP itself asks of a proxy: HEAD, conditional requests, ranges, methods, error bodies.
import { describe, expect, mediaType, sameBytes, textOf } from "./conformance-lab.ts";
import type { ConformanceCase, Headers, Lab } from "./conformance-lab.ts";
import { fileTarget, latestTarget, listTarget, unknownModule, unknownTag } from "./conformance-paths.ts";
import type { ProbeResponse } from "./ports.ts";

const headSpec = "RFC 9110 §9.3.2";
const conditionSpec = "RFC 9110 §13";
const errorSpec = "cmd/go web api.go formatErrorDetail";
/** cmd/go web formatErrorDetail: what it shows of an error body. */
const shownLines = 8;
const shownBytes = 648;

const headCases = (["info", "mod", "zip", "list", "latest"] as const).map((kind): ConformanceCase => ({
  id: `HEAD-${kind.toUpperCase()}`,
  severity: "should",
  en: `HEAD of ${kind} says what GET says, without a body`,
  zh: `${kind} 的 HEAD 与 GET 一致，但没有正文`,
  spec: headSpec,
  check: async (lab) => {
    const target = targetOf(lab, kind);
    const [got, head] = [await lab.ok(target), await lab.send({ method: "HEAD", target })];
    expect(head.status === got.status, `HEAD is ${describe(head)}`);
    expect(head.body.length === 0, "HEAD has a body");
    for (const name of ["content-type", "etag"]) {
      expect(head.headers[name] === got.headers[name], `${name} differs: ${String(head.headers[name])}`);
    }
    const length = head.headers["content-length"];
    expect(length === undefined || length === String(got.body.length), `Content-Length is ${String(length)}`);
  },
}));

const conditionCases: readonly ConformanceCase[] = [
  {
    id: "HEAD-UNKNOWN",
    severity: "should",
    en: "HEAD of what does not exist is 404 or 410 without a body",
    zh: "不存在内容的 HEAD 返回 404 或 410 且无正文",
    spec: headSpec,
    check: async (lab) => {
      const head = await lab.send({ method: "HEAD", target: listTarget(unknownModule) });
      expect([404, 410].includes(head.status) && head.body.length === 0, describe(head));
    },
  },
  {
    id: "ETAG-PRESENT",
    severity: "should",
    en: "the files of a version carry a strong ETag",
    zh: "版本的各文件带有强 ETag",
    spec: "RFC 9110 §8.8.3",
    check: async (lab) => {
      for (const kind of ["info", "mod", "zip"] as const) await etagOf(lab, kind);
    },
  },
  {
    id: "ETAG-DISTINCT",
    severity: "should",
    en: "different bytes have different ETags",
    zh: "不同内容的 ETag 不同",
    spec: "RFC 9110 §8.8.3",
    check: async (lab) => {
      const tags = [await etagOf(lab, "info"), await etagOf(lab, "mod"), await etagOf(lab, "zip")];
      expect(new Set(tags).size === tags.length, tags.join(" "));
    },
  },
  {
    id: "IF-NONE-MATCH",
    severity: "should",
    en: "If-None-Match with the current ETag is 304 without a body, with the ETag",
    zh: "If-None-Match 命中时返回 304，无正文且带 ETag",
    spec: conditionSpec,
    check: async (lab) => {
      const tag = await etagOf(lab, "zip");
      const answer = await ask(lab, "zip", [["If-None-Match", `"other", ${tag}`]]);
      expect(answer.status === 304 && answer.body.length === 0, describe(answer));
      expect(answer.headers["etag"] === tag, `ETag is ${String(answer.headers["etag"])}`);
    },
  },
  {
    id: "IF-NONE-MATCH-OTHER",
    severity: "must",
    en: "If-None-Match with another ETag is the whole answer",
    zh: "If-None-Match 未命中时返回完整内容",
    spec: conditionSpec,
    check: (lab) => isWhole(lab, [["If-None-Match", '"granary-conformance"']]),
  },
  {
    id: "LAST-MODIFIED",
    severity: "should",
    en: "Last-Modified, when there, is an HTTP date that is not in the future of Date",
    zh: "Last-Modified（若有）是有效的 HTTP 日期，且不晚于 Date",
    spec: "RFC 9110 §8.8.2",
    check: async (lab) => {
      const { headers } = await lab.ok(targetOf(lab, "zip"));
      const modified = headers["last-modified"];
      if (modified === undefined) return;
      const at = Date.parse(modified);
      expect(modified === new Date(at).toUTCString(), `it is ${modified}`);
      expect(headers["date"] === undefined || at <= Date.parse(headers["date"]), `${modified} is after Date`);
    },
  },
  {
    id: "LIST-FRESH",
    severity: "must",
    en: "list, @latest and 404s are never marked immutable or kept for more than a day",
    zh: "list、@latest 与 404 不会标为 immutable，缓存也不超过一天",
    spec: "go.dev/ref/mod#goproxy-protocol",
    check: async (lab) => {
      for (const target of [targetOf(lab, "list"), targetOf(lab, "latest"), listTarget(unknownModule)]) {
        const control = (await lab.get(target)).headers["cache-control"] ?? "";
        const age = Number(/(?:^|[\s,])max-age=(\d+)/.exec(control)?.[1] ?? "0");
        expect(!control.includes("immutable") && age <= 86_400, `${target}: ${control}`);
      }
    },
  },
  {
    id: "CACHE-CONTROL-FILES",
    severity: "should",
    en: "the files of a version tell caches that they may be kept",
    zh: "版本文件告知缓存可以保留",
    spec: "RFC 9111 §5.2",
    check: async (lab) => {
      const control = (await lab.ok(targetOf(lab, "zip"))).headers["cache-control"] ?? "";
      expect(/max-age=[1-9]/.test(control) && !control.includes("no-store"), `Cache-Control is ${control || "absent"}`);
    },
  },
];

const errorCases: readonly ConformanceCase[] = [
  ...(["POST", "PUT", "DELETE", "PATCH"] as const).map((method): ConformanceCase => ({
    id: `METHOD-${method}`,
    severity: "must",
    en: `${method} is refused`,
    zh: `拒绝 ${method}`,
    spec: "RFC 9110 §15.5.6",
    check: async (lab) => {
      await lab.refused({ method, target: targetOf(lab, "info"), headers: [["Content-Length", "0"]] });
    },
  })),
  {
    id: "METHOD-405",
    severity: "should",
    en: "other methods get 405 with an Allow header",
    zh: "其他方法返回带 Allow 头的 405",
    spec: "RFC 9110 §15.5.6",
    check: async (lab) => {
      const headers = [["Content-Length", "0"]] as const;
      // Of a go.mod: what a proxy may do with POST of `.info`, behind a token, is its own affair.
      const answer = await lab.send({ method: "POST", target: targetOf(lab, "mod"), headers });
      expect(answer.status === 405, describe(answer));
      expect((answer.headers["allow"] ?? "").includes("GET"), `Allow is ${String(answer.headers["allow"])}`);
    },
  },
  {
    id: "ERROR-TYPE",
    severity: "should",
    en: "error bodies are text/plain in UTF-8, the only kind go shows",
    zh: "错误正文为 UTF-8 的 text/plain，go 只显示这种",
    spec: errorSpec,
    check: async (lab) => {
      for (const answer of await errors(lab)) {
        const charset =
          /charset="?([^";\s]+)/i.exec(answer.headers["content-type"] ?? "")?.[1]?.toLowerCase() ?? "utf-8";
        expect(mediaType(answer) === "text/plain", `Content-Type is ${mediaType(answer)}`);
        expect(charset === "utf-8" || charset === "us-ascii", `charset is ${charset}`);
      }
    },
  },
  {
    id: "ERROR-SHOWN",
    severity: "should",
    en: `error bodies have 1 to ${shownLines} lines and at most ${shownBytes} bytes, so that go shows all of them`,
    zh: `错误正文为 1 到 ${shownLines} 行、不超过 ${shownBytes} 字节，go 才会全部显示`,
    spec: errorSpec,
    check: async (lab) => {
      for (const answer of await errors(lab)) {
        const lines = textOf(answer).trimEnd().split("\n");
        expect(answer.body.length > 0, "empty body");
        expect(lines.length <= shownLines && answer.body.length <= shownBytes, `${lines.length} lines`);
      }
    },
  },
  {
    id: "ERROR-CLEAN",
    severity: "should",
    en: "error bodies have no blank line and no control characters, which hide text from the user",
    zh: "错误正文没有空行和控制字符，否则用户看不到内容",
    spec: errorSpec,
    check: async (lab) => {
      for (const answer of await errors(lab)) {
        const text = textOf(answer);
        expect(!/\n[ \t]*\n/.test(text.trimEnd()) && !text.startsWith("\n"), "a blank line");
        expect(!/[\x00-\x08\x0b-\x1f\x7f]/.test(text), "a control character");
      }
    },
  },
  {
    id: "QUERY-STRING",
    severity: "should",
    en: "a query string, which go appends when GOPROXY has one, never breaks the proxy",
    zh: "查询字符串（GOPROXY 带有时 go 会附加）不会使代理出错",
    spec: "cmd/go modfetch proxy.go",
    check: async (lab) => {
      const answer = await lab.fresh(`${targetOf(lab, "info")}?go-get=1`);
      expect(answer.status < 500, describe(answer));
    },
  },
  {
    id: "MISSING-FETCH-HEADER",
    severity: "should",
    en: "Disable-Module-Fetch: true serves what is kept and is 404 or 410 for the rest",
    zh: "Disable-Module-Fetch: true 只返回已有内容，其余为 404 或 410",
    spec: "pkgsite proxy.DisableFetchHeader",
    check: async (lab) => {
      await lab.ok(targetOf(lab, "mod"));
      const kept = await ask(lab, "mod", [["Disable-Module-Fetch", "true"]]);
      const rest = await lab.fresh(fileTarget({ ...lab.fixtures.module, version: unknownTag }, "mod"), [
        ["Disable-Module-Fetch", "true"],
      ]);
      expect(kept.status === 200, `kept: ${describe(kept)}`);
      expect([404, 410].includes(rest.status), `unknown: ${describe(rest)}`);
    },
  },
  {
    id: "CACHED-ONLY",
    severity: "should",
    en: "/cached-only/… serves what is kept and is 404 or 410 for the rest",
    zh: "/cached-only/… 只返回已有内容，其余为 404 或 410",
    spec: "pkgsite proxy client",
    check: async (lab) => {
      await lab.ok(targetOf(lab, "mod"));
      await lab.ok(`/cached-only${targetOf(lab, "mod")}`);
      await lab.absent(`/cached-only${fileTarget({ ...lab.fixtures.module, version: unknownTag }, "mod")}`);
    },
  },
  {
    id: "ACCEPT-GZIP",
    severity: "must",
    en: "Accept-Encoding: gzip (go sends it) changes no bytes that go hashes",
    zh: "Accept-Encoding: gzip（go 会发送）不改变 go 校验的字节",
    spec: "RFC 9110 §12.5.3",
    check: async (lab) => {
      const plain = await lab.ok(targetOf(lab, "mod"));
      const zipped = await ask(lab, "mod", [["Accept-Encoding", "gzip"]]);
      expect(zipped.status === 200, describe(zipped));
      const coding = zipped.headers["content-encoding"] ?? "identity";
      expect(coding === "gzip" || sameBytes(plain.body, zipped.body), `other bytes under ${coding}`);
    },
  },
];

export const httpCases: readonly ConformanceCase[] = [...headCases, ...conditionCases, ...errorCases];

export function targetOf(lab: Lab, kind: "info" | "mod" | "zip" | "list" | "latest"): string {
  const { module } = lab.fixtures;
  if (kind === "list") return listTarget(module.path);
  return kind === "latest" ? latestTarget(module.path) : fileTarget(module, kind);
}

/** A request with headers for a file of the known module; redirects are followed. */
export function ask(lab: Lab, kind: "mod" | "zip", headers: Headers): Promise<ProbeResponse> {
  return lab.fresh(targetOf(lab, kind), headers);
}

export async function etagOf(lab: Lab, kind: "info" | "mod" | "zip"): Promise<string> {
  const tag = (await lab.ok(targetOf(lab, kind))).headers["etag"] ?? "";
  expect(/^"[\x21\x23-\x7e]+"$/.test(tag), `ETag of .${kind} is ${tag || "absent"}`);
  return tag;
}

/** A conditional or ranged request whose condition does not hold must get the whole zip. */
export async function isWhole(lab: Lab, headers: Headers): Promise<void> {
  const whole = await lab.ok(targetOf(lab, "zip"));
  const answer = await ask(lab, "zip", headers);
  expect(answer.status === 200 && sameBytes(whole.body, answer.body), `${describe(answer)}, or other bytes`);
}

/** Some error answers, of the client's and of the module's making. Whether they had to be errors is for other cases. */
async function errors(lab: Lab): Promise<ProbeResponse[]> {
  const targets = [
    listTarget(unknownModule),
    fileTarget({ ...lab.fixtures.module, version: unknownTag }, "info"),
    "/example.com/%21%21/@v/list",
  ];
  const answers = await Promise.all(targets.map((target) => lab.get(target)));
  const refused = answers.filter(({ status }) => status >= 400);
  expect(refused.length > 0, "nothing is an error here");
  return refused;
}
