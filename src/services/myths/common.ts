// The claims that cost most: several articles make them, or a whole chapter hangs on one.

import type { Myths } from "./myth.ts";

export const commonMyths = {
  MYTH_FALLBACK_ON_ANY_ERROR: {
    row: "common-1",
    said: ["S0", "S1", "S2", "S3", "S4"],
    verdict: "false",
    about: ["GOPROXY", "fallback"],
    shown: ["fallback"],
    en: {
      claim: "With a comma list go asks the next proxy after 5xx, 403 or a timeout, until one succeeds.",
      truth:
        "After a comma go goes on only after 404 and 410; everything else ends the list with an error. Only | goes on after any failure.",
    },
    "zh-CN": {
      claim: "用逗号分隔的列表遇到 5xx、403 或超时会依次尝试下一个代理，直到成功。",
      truth: "逗号之后只有 404 和 410 才会继续，其他任何结果都会直接报错。只有 | 才会在任何失败后继续。",
    },
  },
  MYTH_TEN_SECOND_TIMEOUT: {
    row: "common-2",
    said: ["S2"],
    verdict: "false",
    about: ["GOPROXY", "timeout", "fallback"],
    shown: ["silence"],
    en: {
      claim: "go gives a proxy 10 s, then asks the next one.",
      truth:
        "Requests have no timeout: only dialling (30 s) and the TLS handshake (10 s) have. A proxy that accepts and says nothing holds the command up for ever, with | too.",
    },
    "zh-CN": {
      claim: "go 默认 10 秒超时，然后尝试下一个代理。",
      truth:
        "请求没有超时，只有拨号（30 秒）和 TLS 握手（10 秒）有。接受连接却不回答的代理会让命令一直等待，用 | 也一样。",
    },
  },
  MYTH_GONOPROXY_SKIPS_SUMDB: {
    row: "common-3",
    said: ["S0"],
    verdict: "false",
    about: ["GONOPROXY", "GOSUMDB", "sumdb", "private"],
    shown: ["patterns"],
    en: {
      claim: "Modules that GONOPROXY matches are not verified; GONOPROXY=* makes go ignore GOSUMDB.",
      truth:
        "GONOPROXY decides the way alone. The checksum database is left out by GONOSUMDB, whose default is GOPRIVATE; go.sum is always checked.",
    },
    "zh-CN": {
      claim: "匹配 GONOPROXY 的模块不再校验；GONOPROXY=* 会让 go 忽略 GOSUMDB。",
      truth: "GONOPROXY 只决定从哪里下载。跳过校验和数据库的是 GONOSUMDB（默认等于 GOPRIVATE）；go.sum 总会检查。",
    },
  },
  MYTH_GOSUMDB_PLUS_INSECURE: {
    row: "common-4",
    said: ["S3"],
    verdict: "false",
    about: ["GOSUMDB", "sumdb", "private"],
    shown: ["malformed"],
    en: {
      claim: "GOSUMDB=sum.golang.org+insecure skips verification of private hosts.",
      truth:
        'There is no such syntax: every download that go.sum does not know fails with "malformed verifier id". Name private modules in GOPRIVATE.',
    },
    "zh-CN": {
      claim: "GOSUMDB=sum.golang.org+insecure 可以对私有主机跳过校验。",
      truth: "没有这种写法：凡是 go.sum 里没有的下载都会报 malformed verifier id。请用 GOPRIVATE 列出私有模块。",
    },
  },
  MYTH_NO_SPACES_IN_GOPROXY: {
    row: "common-5",
    said: ["S3"],
    verdict: "false",
    about: ["GOPROXY"],
    shown: ["spaces"],
    en: {
      claim: "Spaces in GOPROXY are illegal.",
      truth:
        "Spaces around entries are trimmed, empty entries skipped. A semicolon is the real trap: it is no separator, and silently becomes part of the URL.",
    },
    "zh-CN": {
      claim: "GOPROXY 中不允许有空格。",
      truth: "条目两侧的空格会被去掉，空条目会被跳过。真正的陷阱是分号：它不是分隔符，会悄悄成为 URL 的一部分。",
    },
  },
  MYTH_ENV_WRITE_GODEBUG: {
    row: "common-6",
    said: ["S2", "S3"],
    verdict: "false",
    about: ["GODEBUG", "GOENV"],
    shown: ["envRefused"],
    en: {
      claim: "go env -w GODEBUG=… switches debugging on for good.",
      truth:
        "It is refused: GODEBUG is taken from the environment of the process alone. Write it in front of the command.",
    },
    "zh-CN": {
      claim: "用 go env -w GODEBUG=… 可以长期打开调试输出。",
      truth: "会被拒绝：GODEBUG 只从进程的环境变量读取。请写在命令前面。",
    },
  },
  MYTH_DIRECT_DEFAULT_REMOVED: {
    row: "common-7",
    said: ["S1"],
    verdict: "false",
    about: ["GOPROXY", "direct", "versions"],
    shown: ["unset"],
    en: {
      claim: "Go 1.22 took direct out of the default list, and its HTTP transport panics without a proxy.",
      truth:
        "The default list has ended in direct since 1.13, in 1.27 too. A transport without a proxy connects directly; nothing panics.",
    },
    "zh-CN": {
      claim: "Go 1.22 去掉了默认的 direct，没有代理时 HTTP 传输层会 panic。",
      truth: "从 1.13 到 1.27，默认列表都以 direct 结尾。没有代理时直接连接，不会 panic。",
    },
  },
  MYTH_STEERING_HEADERS: {
    row: "common-8",
    said: ["S0", "S3"],
    verdict: "false",
    about: ["requests", "mirrors"],
    shown: ["plainRequests", "retryAfter"],
    en: {
      claim: "X-Go-Proxy-Cache, X-Go-Proxy-Status, X-Geo-Region and Retry-After steer go.",
      truth:
        "None of them is in the protocol. Of an answer go reads the status, the body, Location, Content-Encoding and, of an error, Content-Type. Such headers are for people.",
    },
    "zh-CN": {
      claim: "X-Go-Proxy-Cache、X-Go-Proxy-Status、X-Geo-Region 和 Retry-After 会影响 go 的行为。",
      truth:
        "协议里没有这些响应头。go 只看状态码、正文、Location、Content-Encoding，出错时再看 Content-Type。这些头只是给人看的。",
    },
  },
  MYTH_OFF_IS_DIRECT: {
    row: "common-9",
    said: ["S1", "S2", "S3"],
    verdict: "false",
    about: ["GOPROXY", "off", "direct"],
    shown: ["off", "privateNames"],
    en: {
      claim: "GOPROXY=off means no proxy: go takes what is local or connects directly.",
      truth:
        'off forbids every download that GONOPROXY does not match: "module lookup disabled by GOPROXY=off". Fetching without a proxy is direct.',
    },
    "zh-CN": {
      claim: "GOPROXY=off 表示不用代理：使用本地缓存或直接连接。",
      truth:
        "off 禁止一切下载（匹配 GONOPROXY 的除外）：module lookup disabled by GOPROXY=off。不经代理下载要用 direct。",
    },
  },
  MYTH_DIRECT_IS_PRIVATE: {
    row: "common-10",
    said: ["S2", "S4"],
    verdict: "false",
    about: ["GOPROXY", "direct", "private", "GOPRIVATE", "GONOPROXY"],
    shown: ["privateNames"],
    en: {
      claim: "direct at the end of the list is how private modules are fetched without a proxy.",
      truth:
        "Every proxy before direct is asked for the private name first, and hears it; direct comes only after its 404 or 410. Name private modules in GOPRIVATE.",
    },
    "zh-CN": {
      claim: "列表末尾的 direct 表示私有模块直连。",
      truth:
        "私有模块的名字会先发给 direct 之前的每个代理，得到 404 或 410 后才轮到 direct。请用 GOPRIVATE 列出私有模块。",
    },
  },
} as const satisfies Myths;
