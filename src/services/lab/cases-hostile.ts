// Conformance: request lines no go command sends. A proxy refuses them as the client's fault: never content, never 5xx.
import { expect, textOf } from "./conformance-lab.ts";
import type { ConformanceCase, Lab } from "./conformance-lab.ts";
import { fileTarget } from "./conformance-paths.ts";
import type { ProbeRequest } from "./ports.ts";

const targetSpec = "x/mod module.CheckPath";
const httpSpec = "RFC 9112 §3";

type Hostile = { readonly id: string; readonly en: string; readonly zh: string; readonly targets: readonly string[] };

const hostileTargets: readonly Hostile[] = [
  {
    id: "DOTS",
    en: "dot segments",
    zh: "点号路径段",
    targets: [
      "/../../../../etc/passwd",
      "/example.com/@v/../../../etc/passwd",
      "/./example.com/@v/list",
      "/example.com/../@v/list",
    ],
  },
  {
    id: "DOTS-ENCODED",
    en: "percent-encoded dot segments",
    zh: "百分号编码的点号路径段",
    targets: [
      "/%2e%2e/%2e%2e/etc/passwd",
      "/example.com/%2e%2e/@v/list",
      "/example.com/@v/%2e%2e%2fx.info",
      "/%252e%252e/@v/list",
    ],
  },
  {
    id: "SLASH-ENCODED",
    en: "percent-encoded slashes and backslashes",
    zh: "百分号编码的斜杠与反斜杠",
    targets: [
      "/example.com%2Fhello/@v/list",
      "/example.com/@v/..%2F..%2Fx.zip",
      "/example.com/a%5Cb/@v/list",
      "/example.com/..%5c..%5cx/@v/list",
    ],
  },
  {
    id: "BACKSLASH",
    en: "backslashes",
    zh: "反斜杠",
    targets: ["/example.com\\hello/@v/list", "/..\\..\\etc/@v/list"],
  },
  {
    id: "DOUBLE-SLASH",
    en: "empty path elements",
    zh: "空路径段",
    targets: ["//example.com/@v/list", "/example.com//hello/@v/list", "/example.com/hello//@v/list"],
  },
  {
    id: "NUL",
    en: "NUL bytes",
    zh: "NUL 字节",
    targets: ["/example.com/%00/@v/list", "/example.com/hello/@v/v1.0.0%00.info"],
  },
  {
    id: "CONTROL",
    en: "encoded control characters, line breaks among them",
    zh: "编码的控制字符，包括换行",
    targets: [
      "/example.com/%0d%0aX-Injected:%201/@v/list",
      "/example.com/hello/@v/%0aX.info",
      "/example.com/%1f/@v/list",
      "/example.com/%7f/@v/list",
    ],
  },
  {
    id: "SEMICOLON",
    en: "path parameters",
    zh: "路径参数",
    targets: ["/example.com;x=1/@v/list", "/example.com/hello;/@v/list"],
  },
  {
    id: "PERCENT",
    en: "broken percent-encoding",
    zh: "错误的百分号编码",
    targets: ["/example.com/%/@v/list", "/example.com/%zz/@v/list", "/example.com/hello/@v/%2.info"],
  },
  {
    id: "OVERLONG-UTF8",
    en: "overlong and invalid UTF-8",
    zh: "超长编码与无效的 UTF-8",
    targets: ["/example.com/%c0%ae%c0%ae/@v/list", "/example.com/%ff%fe/@v/list", "/example.com/\xc0\xaf/@v/list"],
  },
  {
    id: "LONG-PATH",
    en: "a path of sixty kilobytes",
    zh: "60 KB 的路径",
    targets: [`/example.com/${"a".repeat(60_000)}/@v/list`],
  },
  {
    id: "MANY-ELEMENTS",
    en: "a path of two thousand elements",
    zh: "两千段的路径",
    targets: [`/example.com${"/a".repeat(2000)}/@v/list`],
  },
  {
    id: "NO-MODULE",
    en: "endpoints without a module",
    zh: "缺少模块的端点",
    targets: [
      "/@v/list",
      "/@latest",
      "/@v/v1.0.0.info",
      "/example.com/@v",
      "/example.com/hello/@v/",
      "/example.com/hello/@v/.info",
    ],
  },
  {
    id: "BAD-MODULE",
    en: "paths that are no module paths",
    zh: "不合法的模块路径",
    targets: [
      "/hello/@v/list",
      "/-example.com/@v/list",
      "/example.com/con/@v/list",
      "/example.com/.git/@v/list",
      "/example.com/hello./@v/list",
      "/example.com/hello/v1/@v/list",
      "/example.com/a~1/@v/list",
    ],
  },
  {
    id: "BAD-VERSION",
    en: "versions that are no file names",
    zh: "不能作为文件名的版本",
    targets: [
      "/example.com/hello/@v/...info",
      "/example.com/hello/@v/-x..info",
      "/example.com/hello/@v/v1.0.0%3f.zip",
      "/example.com/hello/@v/v1.0.0%2a.mod",
    ],
  },
  {
    id: "FILES",
    en: "files of the machine",
    zh: "机器上的文件",
    targets: ["/etc/passwd", "/.git/config", "/.env", "/@v/../.netrc"],
  },
];

const targetCases = hostileTargets.map(({ id, en, zh, targets }): ConformanceCase => ({
  id: `HOSTILE-${id}`,
  severity: "must",
  en: `${en} are refused with 4xx`,
  zh: `${zh}会以 4xx 拒绝`,
  spec: targetSpec,
  check: async (lab) => {
    for (const target of targets) {
      const answer = await lab.refused({ method: "GET", target });
      expect(answer.headers["x-injected"] === undefined, "a header was injected");
    }
  },
}));

const framingCases: readonly ConformanceCase[] = [
  raw("HOST-TWICE", {
    severity: "must",
    en: "two Host headers are refused",
    zh: "两个 Host 头会被拒绝",
    lines: (target) => [`GET ${target} HTTP/1.1`, "Host: a.example", "Host: b.example", "Connection: close"],
  }),
  raw("HOST-NONE", {
    severity: "must",
    en: "HTTP/1.1 without Host is refused",
    zh: "没有 Host 的 HTTP/1.1 请求会被拒绝",
    lines: (target) => [`GET ${target} HTTP/1.1`, "Connection: close"],
  }),
  raw("LENGTH-AND-CHUNKED", {
    severity: "must",
    en: "Content-Length together with Transfer-Encoding is refused (request smuggling)",
    zh: "同时带 Content-Length 与 Transfer-Encoding 的请求会被拒绝（请求走私）",
    lines: (target) => [
      `GET ${target} HTTP/1.1`,
      "Host: a.example",
      "Content-Length: 4",
      "Transfer-Encoding: chunked",
      "Connection: close",
    ],
  }),
  raw("HEADER-SPACE", {
    severity: "must",
    en: "a space before a header's colon is refused (request smuggling)",
    zh: "头部冒号前的空格会被拒绝（请求走私）",
    lines: (target) => [`GET ${target} HTTP/1.1`, "Host: a.example", "X-Y : 1", "Connection: close"],
  }),
  raw("HEADERS-HUGE", {
    severity: "must",
    en: "a header of 256 KB is refused",
    zh: "256 KB 的头部会被拒绝",
    lines: (target) => [`GET ${target} HTTP/1.1`, "Host: a.example", `X-Y: ${"y".repeat(256 * 1024)}`],
  }),
  raw("VERSION-UNKNOWN", {
    severity: "must",
    en: "an HTTP version that does not exist is refused",
    zh: "不存在的 HTTP 版本会被拒绝",
    lines: (target) => [`GET ${target} HTTP/9.9`, "Host: a.example", "Connection: close"],
    mayBe505: true,
  }),
  raw("FOREIGN-ABSOLUTE", {
    severity: "must",
    en: "an absolute-form target of another host is not fetched for the client (open relay)",
    zh: "指向其他主机的绝对形式请求不会被代为获取（开放中继）",
    lines: () => ["GET http://granary-conformance.invalid/x HTTP/1.1", "Host: a.example", "Connection: close"],
  }),
  raw("CONNECT", {
    severity: "must",
    en: "CONNECT opens no tunnel",
    zh: "CONNECT 不会建立隧道",
    lines: () => ["CONNECT granary-conformance.invalid:443 HTTP/1.1", "Host: a.example", "Connection: close"],
  }),
  {
    id: "HOSTILE-STILL-ALIVE",
    severity: "must",
    en: "after all of that the proxy still answers, with the same bytes",
    zh: "经过以上请求后代理仍正常工作，内容不变",
    spec: httpSpec,
    check: async (lab) => {
      const target = fileTarget(lab.fixtures.module, "mod");
      const [before, after] = [await lab.text(target), textOf(await lab.fresh(target))];
      expect(before === after, "other bytes");
    },
  },
];

export const hostileCases: readonly ConformanceCase[] = [...targetCases, ...framingCases];

type Raw = Pick<ConformanceCase, "severity" | "en" | "zh"> & {
  readonly lines: (target: string) => readonly string[];
  /** 505 says the same as 400 here. */
  readonly mayBe505?: boolean;
};

/** A request that HTTP itself forbids. A closed connection is as good an answer as 400. */
function raw(id: string, { severity, en, zh, lines, mayBe505 }: Raw): ConformanceCase {
  return {
    id: `HOSTILE-${id}`,
    severity,
    en,
    zh,
    spec: httpSpec,
    check: async (lab) => {
      const target = fileTarget(lab.fixtures.module, "info");
      const request = { method: "GET", target, raw: `${lines(target).join("\r\n")}\r\n\r\n` };
      const status = await statusOrClosed(lab, request);
      const refused = status === "closed" || (status >= 400 && status < 500) || (mayBe505 === true && status === 505);
      expect(refused, `${status}, want 4xx`);
    },
  };
}

async function statusOrClosed(lab: Lab, request: ProbeRequest): Promise<number | "closed"> {
  try {
    return (await lab.target.send(request)).status;
  } catch {
    return "closed";
  }
}
