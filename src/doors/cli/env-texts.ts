// The sentences of `granary env`, in both languages. A language that lacks one does not compile.

import type { Lang } from "#services/errors/sentences.ts";

export type EnvTexts = {
  readonly versionFrom: Readonly<Record<"asked" | "installed" | "assumed", string>>;
  readonly labels: Readonly<
    Record<
      | "private"
      | "checksums"
      | "asks"
      | "trust"
      | "next"
      | "end"
      | "hangs"
      | "via"
      | "sends"
      | "twice"
      | "note"
      | "outcome"
      | "wait",
      string
    >
  >;
  /** Between the items of a list. */
  readonly join: string;
  readonly isPrivate: (pattern: string) => string;
  readonly isPublic: (patterns: string) => string;
  readonly failures: Readonly<Record<"absent" | "status" | "connection" | "json" | "silence", string>>;
  readonly nextHop: (number: number) => string;
  readonly notAsked: string;
  readonly hops: Readonly<Record<"noproxy" | "direct" | "off", string>>;
  readonly noModule: string;
  readonly refused: (sentence: string) => string;
  readonly credentials: {
    readonly url: string;
    readonly refused: string;
    readonly netrc: (login: string, machine: string) => string;
    readonly port: (machine: string, wanted: string) => string;
    readonly goauth: (command: string) => string;
  };
  readonly twice: string;
  readonly sums: {
    readonly none: string;
    readonly verified: (database: string) => string;
    readonly via: (url: string) => string;
    readonly direct: (url: string) => string;
    readonly off: string;
    readonly pattern: (pattern: string) => string;
    readonly file: string;
  };
  readonly rounds: {
    readonly prefixes: (file: string) => string;
    readonly each: string;
    readonly newest: string;
    readonly unlisted: string;
  };
  readonly trust: (kind: "files" | "unheard", where: string) => string;
  readonly vendored: string;
  readonly off: string;
  readonly leaks: (names: string) => string;
  readonly unread: (what: string) => string;
  readonly places: Readonly<Record<"built-in" | "unknown-yet" | "process", string>>;
  readonly follows: (name: string) => string;
  readonly hides: (value: string, place: string) => string;
  readonly file: {
    readonly text: (path: string) => string;
    readonly absent: (path: string) => string;
    readonly unreadable: (path: string, reason: string) => string;
    readonly off: string;
    readonly nowhere: (missing: string) => string;
  };
  readonly goFile: (version: string, goroot: string) => string;
  readonly noGo: string;
  readonly lintVerdict: (fail: number, warn: number, info: number) => string;
  readonly clean: string;
  readonly outcomes: {
    readonly found: (hop: string) => string;
    readonly "not-found": string;
    readonly error: (hop: string) => string;
    readonly hangs: (hop: string) => string;
    readonly refused: (sentence: string) => string;
  };
  readonly reactions: Readonly<Record<"found" | "absent" | "failed" | "spoilt" | "hangs", string>>;
  readonly unasked: (hops: string) => string;
  readonly waits: (seconds: string) => string;
  readonly endings: Readonly<Record<"found" | "not-found" | "error" | "hangs", string>>;
  readonly requests: string;
  readonly repository: string;
};

export const envTexts: Readonly<Record<Lang, EnvTexts>> = {
  en: {
    versionFrom: { asked: "as asked", installed: "installed here", assumed: "no go found here: the newest we know" },
    labels: {
      private: "private",
      checksums: "checksums",
      asks: "asks for",
      trust: "trusts",
      next: "next after",
      end: "ends with",
      hangs: "waits for",
      via: "through",
      sends: "sends",
      twice: "asks twice",
      note: "note",
      outcome: "outcome",
      wait: "costs",
    },
    join: "; ",
    isPrivate: (pattern) => `yes: GONOPROXY matches (${pattern})`,
    isPublic: (patterns) => (patterns === "" ? "no: GONOPROXY is empty" : `no: GONOPROXY does not match (${patterns})`),
    failures: {
      absent: "404, 410",
      status: "any other status (401, 403, 429, 5xx, …)",
      connection: "refused, reset, DNS, TLS, 30 s without a connection",
      json: "an .info that is no JSON",
      silence: "an answer, for ever: go has no timeout",
    },
    nextHop: (number) => `(${number})`,
    notAsked: "not asked: the module is private",
    hops: {
      noproxy: "the module's repository, before any proxy",
      direct: "direct: the module's repository (https://…?go-get=1, then git)",
      off: "off: the end, nobody is asked",
    },
    noModule: "(no module given: for every module that no pattern covers)",
    refused: (sentence) => `go stops before it asks anybody: ${sentence}`,
    credentials: {
      url: "user and password of the URL, with every request",
      refused: "nothing: go refuses credentials over http, and the request fails",
      netrc: (login, machine) => `user ${login} of netrc (machine ${machine})`,
      port: (machine, wanted) => `nothing: netrc has machine ${machine}, this go looks for ${wanted}`,
      goauth: (command) => `what GOAUTH gives: ${command}`,
    },
    twice: "every 4xx (https, Go 1.24 and newer); the second answer counts",
    sums: {
      none: "not verified: this go knows no checksum database",
      verified: (database) => `verified by ${database}, asked`,
      via: (url) => `at ${url}, if /supported there is 200`,
      direct: (url) => `at ${url}`,
      off: "not verified: GOSUMDB is off",
      pattern: (pattern) => `not verified: GONOSUMDB matches (${pattern})`,
      file: "not verified: a toolchain from one file:// proxy",
    },
    rounds: {
      prefixes: (file) => `${file} of the module and of every path above it, at once`,
      each: "each file walks the list from the top",
      newest: "then list, .info and .mod of the newest version (is it retracted?)",
      unlisted: "@latest if the list has no version",
    },
    trust: (kind, where) =>
      kind === "files"
        ? `the authorities in ${where}`
        : `the system's authorities; this go does not read ${where} here`,
    vendored: "GOFLAGS has -mod=vendor: go build and go list read the vendor folder and ask nobody",
    off: "GO111MODULE=off: go get and go mod stop",
    leaks: (names) => `proxies are asked for ${names} as well: the pattern covers only what is below`,
    unread: (what) => `go does not read what stands behind: ${what}`,
    places: { "built-in": "built in", "unknown-yet": "unknown to this go", process: "environment" },
    follows: (name) => `follows ${name}`,
    hides: (value, place) => `hides ${value} (${place})`,
    file: {
      text: (path) => `go env file: ${path}`,
      absent: (path) => `go env file: ${path} (there is none)`,
      unreadable: (path, reason) => `go env file: ${path} cannot be read, go goes on without it: ${reason}`,
      off: "go env file: none (GOENV=off)",
      nowhere: (missing) => `go env file: none, ${missing} is not set`,
    },
    goFile: (version, goroot) => `Go ${version}, GOROOT ${goroot}`,
    noGo: "no go on PATH: its version and $GOROOT/go.env are unknown, go's own defaults are assumed",
    lintVerdict: (fail, warn, info) => `${fail} wrong, ${warn} doubtful, ${info} to know.`,
    clean: "Nothing wrong found.",
    outcomes: {
      found: (hop) => `${hop} gives the file`,
      "not-found": "not found: everybody who was asked says so",
      error: (hop) => `go stops with the failure of ${hop}`,
      hangs: (hop) => `go waits for ${hop} until somebody ends it`,
      refused: (sentence) => `go stops before it asks anybody: ${sentence}`,
    },
    reactions: {
      found: "taken",
      absent: "next",
      failed: "failure",
      spoilt: "taken, and useless: nobody else is asked",
      hangs: "waits for ever",
    },
    unasked: (hops) => `never asked: ${hops}`,
    waits: (seconds) => `${seconds} of waiting`,
    endings: { found: "the module", "not-found": "not found", error: "an error", hangs: "waits for ever" },
    requests: "requests in order",
    repository: "the repository",
  },
  "zh-CN": {
    versionFrom: { asked: "按指定", installed: "本机已安装", assumed: "本机没有 go：按已知的最新版本" },
    labels: {
      private: "私有",
      checksums: "校验",
      asks: "请求",
      trust: "信任",
      next: "继续",
      end: "终止",
      hangs: "等待",
      via: "经由",
      sends: "凭据",
      twice: "重复",
      note: "注意",
      outcome: "结果",
      wait: "耗时",
    },
    join: "；",
    isPrivate: (pattern) => `是：匹配 GONOPROXY（${pattern}）`,
    isPublic: (patterns) => (patterns === "" ? "否：GONOPROXY 为空" : `否：不匹配 GONOPROXY（${patterns}）`),
    failures: {
      absent: "404、410",
      status: "其他状态码（401、403、429、5xx 等）",
      connection: "拒绝、重置、DNS、TLS、30 s 连不上",
      json: ".info 不是 JSON",
      silence: "连上后没有回答：go 没有超时，一直等",
    },
    nextHop: (number) => `（${number}）`,
    notAsked: "不问：模块是私有的",
    hops: {
      noproxy: "模块的仓库，先于所有代理",
      direct: "direct：模块的仓库（https://…?go-get=1，然后 git）",
      off: "off：到此为止，不问任何人",
    },
    noModule: "（未指定模块：适用于所有不匹配模式的模块）",
    refused: (sentence) => `go 不发请求就报错：${sentence}`,
    credentials: {
      url: "URL 中的用户名和密码，每个请求都带",
      refused: "无：go 不通过 http 发送凭据，请求会失败",
      netrc: (login, machine) => `netrc 中的用户 ${login}（machine ${machine}）`,
      port: (machine, wanted) => `无：netrc 写的是 machine ${machine}，此 go 找的是 ${wanted}`,
      goauth: (command) => `由 GOAUTH 给出：${command}`,
    },
    twice: "每个 4xx（https，Go 1.24 起）；以第二次回答为准",
    sums: {
      none: "不校验：此 go 没有校验和数据库",
      verified: (database) => `由 ${database} 校验，访问`,
      via: (url) => `${url}（若其 /supported 为 200）`,
      direct: (url) => url,
      off: "不校验：GOSUMDB 为 off",
      pattern: (pattern) => `不校验：匹配 GONOSUMDB（${pattern}）`,
      file: "不校验：工具链来自单个 file:// 代理",
    },
    rounds: {
      prefixes: (file) => `模块及其所有上级路径的 ${file}，同时请求`,
      each: "每个文件都从列表开头走起",
      newest: "再取最新版本的 list、.info、.mod（是否已撤回）",
      unlisted: "列表中没有版本时取 @latest",
    },
    trust: (kind, where) =>
      kind === "files" ? `${where} 中的证书机构` : `系统的证书机构；此 go 在这里不读取 ${where}`,
    vendored: "GOFLAGS 含 -mod=vendor：go build 和 go list 只读 vendor 目录，不问任何人",
    off: "GO111MODULE=off：go get 和 go mod 会报错",
    leaks: (names) => `代理仍会被问到 ${names}：模式只覆盖其下的路径`,
    unread: (what) => `其后的内容 go 不读取：${what}`,
    places: { "built-in": "内置", "unknown-yet": "此 go 不认识", process: "环境变量" },
    follows: (name) => `取自 ${name}`,
    hides: (value, place) => `盖住了 ${value}（${place}）`,
    file: {
      text: (path) => `go env 文件：${path}`,
      absent: (path) => `go env 文件：${path}（不存在）`,
      unreadable: (path, reason) => `go env 文件：无法读取 ${path}，go 会跳过它：${reason}`,
      off: "go env 文件：无（GOENV=off）",
      nowhere: (missing) => `go env 文件：无，未设置 ${missing}`,
    },
    goFile: (version, goroot) => `Go ${version}，GOROOT ${goroot}`,
    noGo: "PATH 中没有 go：版本和 $GOROOT/go.env 未知，按 go 的默认值处理",
    lintVerdict: (fail, warn, info) => `错误 ${fail} 处，可疑 ${warn} 处，须知 ${info} 处。`,
    clean: "未发现错误。",
    outcomes: {
      found: (hop) => `由 ${hop} 给出文件`,
      "not-found": "不存在：问到的都这么说",
      error: (hop) => `go 以 ${hop} 的失败终止`,
      hangs: (hop) => `go 一直等待 ${hop}，直到被人终止`,
      refused: (sentence) => `go 不发请求就报错：${sentence}`,
    },
    reactions: {
      found: "采用",
      absent: "下一个",
      failed: "失败",
      spoilt: "采用但无用：不再问别人",
      hangs: "一直等待",
    },
    unasked: (hops) => `从未问到：${hops}`,
    waits: (seconds) => `等待 ${seconds}`,
    endings: { found: "得到模块", "not-found": "不存在", error: "报错", hangs: "一直等待" },
    requests: "依次发出的请求",
    repository: "仓库",
  },
};
