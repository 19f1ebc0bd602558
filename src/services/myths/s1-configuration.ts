// What article S1 claims, on configuring a proxy for go.

import type { Myths } from "./myth.ts";

export const configurationMyths = {
  MYTH_PROXY_THEN_PRIVATE: {
    row: "S1-1",
    said: ["S1"],
    verdict: "false",
    about: ["GOPROXY", "GONOPROXY", "GOPRIVATE", "private", "fallback"],
    shown: ["privateNames"],
    en: {
      claim: "go asks proxies first, then private repositories, and connects directly at last.",
      truth: "The list is the order. What GONOPROXY matches never enters it: it is fetched directly, and only so.",
    },
    "zh-CN": {
      claim: "先走代理，再回退私有仓库，最后直连。",
      truth: "顺序就是列表的顺序。匹配 GONOPROXY 的模块根本不进列表，只会直接下载。",
    },
  },
  MYTH_ENV_WRITE_IS_TEMPORARY: {
    row: "S1-2",
    said: ["S1"],
    verdict: "false",
    about: ["GOENV"],
    shown: ["envWrite"],
    en: {
      claim: "go env -w lasts as long as this terminal.",
      truth: "It writes a file and counts for every later command of this user. For this terminal alone: export.",
    },
    "zh-CN": {
      claim: "go env -w 只在当前终端临时生效。",
      truth: "它写入文件，对该用户以后的所有命令有效。只对当前终端生效要用 export。",
    },
  },
  MYTH_ENV_FILE_IN_HOME: {
    row: "S1-3",
    said: ["S1"],
    verdict: "false",
    about: ["GOENV"],
    shown: ["envWrite"],
    en: {
      claim: "The file is $HOME/go/env, or %USERPROFILE%\\go\\env.",
      truth:
        "It is go/env in the user's configuration folder (~/.config, ~/Library/Application Support, %AppData%). go env GOENV tells.",
    },
    "zh-CN": {
      claim: "配置文件是 $HOME/go/env 或 %USERPROFILE%\\go\\env。",
      truth:
        "它是用户配置目录（~/.config、~/Library/Application Support、%AppData%）下的 go/env。用 go env GOENV 查看。",
    },
  },
  MYTH_WITHOUT_DIRECT_NO_WAY_OUT: {
    row: "S1-4",
    said: ["S1"],
    verdict: "true",
    about: ["GOPROXY", "direct", "fallback"],
    shown: ["noDirect", "fallback"],
    en: {
      claim: "Without direct at the end, go fails when all proxies do.",
      truth: "So it is. But after a comma direct is reached only when they answer 404 or 410, not when they are down.",
    },
    "zh-CN": {
      claim: "列表末尾没有 direct 时，代理都失败就只能报错。",
      truth: "确实如此。但用逗号时，只有代理返回 404 或 410 才会走到 direct，代理故障时不会。",
    },
  },
  MYTH_CHAIN_SINCE_113: {
    row: "S1-5",
    said: ["S1"],
    verdict: "partly",
    about: ["GOPROXY", "fallback", "versions"],
    shown: ["fallback", "pipe"],
    en: {
      claim: "Since Go 1.13 the list degrades from one proxy to the next when one fails.",
      truth:
        "Lists are from 1.13, but a comma goes on after 404 and 410 alone. Going on after failures takes |, from 1.15 on.",
    },
    "zh-CN": {
      claim: "Go 1.13 起列表可在故障时逐级降级。",
      truth: "列表确实始于 1.13，但逗号只在 404 和 410 后继续。故障后继续要用 |，从 1.15 起支持。",
    },
  },
  MYTH_DIRECT_IN_CHUNKS: {
    row: "S1-6",
    said: ["S1"],
    verdict: "false",
    about: ["direct", "requests"],
    shown: ["git", "plainRequests", "fallback"],
    en: {
      claim: "direct downloads in chunks: Range, 206, gzip, a manifest of SHA-256, an atomic rename.",
      truth:
        "direct runs git or another version control tool, or follows a go-import tag to a proxy. No Range is ever sent, and a 206 is an error.",
    },
    "zh-CN": {
      claim: "direct 模式用 Range 分块下载：206、gzip、SHA256 清单、原子重命名。",
      truth: "direct 运行 git 等版本控制工具，或按 go-import 标签转到某个代理。go 从不发送 Range，收到 206 会报错。",
    },
  },
  MYTH_SUMDB_LOOKUP_PATH: {
    row: "S1-7",
    said: ["S1"],
    verdict: "false",
    about: ["sumdb", "requests"],
    shown: ["sumdbRequests"],
    en: {
      claim: "go asks a proxy for /sumdb/lookup.",
      truth:
        "The database's name is in the path: first /sumdb/NAME/supported, then /sumdb/NAME/lookup/MODULE@VERSION and tiles.",
    },
    "zh-CN": {
      claim: "go 向代理请求 /sumdb/lookup。",
      truth: "路径里有数据库名：先 /sumdb/名称/supported，再 /sumdb/名称/lookup/模块@版本 和瓦片。",
    },
  },
  MYTH_GONOSUMDB_SKIPS_ALL: {
    row: "S1-8",
    said: ["S1"],
    verdict: "partly",
    about: ["GONOSUMDB", "go.sum", "sumdb"],
    shown: ["goSum"],
    en: {
      claim: "A module that GONOSUMDB matches is not verified.",
      truth: "Only the database is left out. What go.sum has recorded is still held against it.",
    },
    "zh-CN": {
      claim: "匹配 GONOSUMDB 的模块跳过校验。",
      truth: "只是不问校验和数据库；go.sum 里已有的记录仍然会核对。",
    },
  },
  MYTH_SUMDB_NEGOTIATION: {
    row: "S1-9",
    said: ["S1"],
    verdict: "false",
    about: ["GOSUMDB", "GONOSUMDB", "sumdb"],
    shown: ["patterns", "goSum"],
    en: {
      claim: "GOSUMDB and GONOSUMDB negotiate a policy and degrade as things go.",
      truth:
        "It is one rule: the database is asked unless it is off or GONOSUMDB matches the path. Nothing changes on the way.",
    },
    "zh-CN": {
      claim: "GOSUMDB 与 GONOSUMDB 会协商策略、动态降级。",
      truth: "规则只有一条：数据库未关闭且路径不匹配 GONOSUMDB 就查询。过程中不会改变。",
    },
  },
  MYTH_RUNNER_BUILD_CACHE: {
    row: "S1-10",
    said: ["S1"],
    verdict: "false",
    about: ["GOCACHE", "GOMODCACHE", "cache", "ci"],
    shown: ["caches", "graph"],
    en: {
      claim: "CI runners keep modules in Library/Caches/go-build and go on using pseudo-versions that were withdrawn.",
      truth:
        "That is the build cache of macOS; modules lie in GOMODCACHE. Content is fixed by go.mod and go.sum, and a retraction hides a version without removing it.",
    },
    "zh-CN": {
      claim: "CI 机器把模块存在 Library/Caches/go-build，会继续使用已撤回的伪版本。",
      truth: "那是 macOS 的构建缓存，模块在 GOMODCACHE。内容由 go.mod 和 go.sum 确定；retract 只隐藏版本，不删除内容。",
    },
  },
  MYTH_ETC_GO_ENV: {
    row: "S1-11",
    said: ["S1"],
    verdict: "false",
    about: ["GOENV", "ci"],
    shown: ["envWrite"],
    en: {
      claim: "go reads /etc/go/env, then ~/.go/env, and a pipeline's variables cannot override them.",
      truth:
        "No such files are read. A variable of the process wins, then the user's file, then $GOROOT/go.env, then what is built in.",
    },
    "zh-CN": {
      claim: "go 依次读取 /etc/go/env、~/.go/env，流水线的环境变量无法覆盖。",
      truth: "不会读取这些文件。进程的环境变量优先，其次是用户文件、$GOROOT/go.env、内置默认值。",
    },
  },
  MYTH_ENV_WRITE_GOROOT: {
    row: "S1-12",
    said: ["S1"],
    verdict: "false",
    about: ["GOENV", "GOROOT", "versions"],
    shown: ["goroot"],
    en: {
      claim: "go env -w GOROOT=… GOPATH=… sets up a machine.",
      truth:
        "From go 1.27 on GOROOT is refused, and GOPATH with it. Up to 1.26 it is written, and a wrong one breaks every later go command, go env -u too: mend the file by hand.",
    },
    "zh-CN": {
      claim: "用 go env -w GOROOT=… GOPATH=… 配置机器。",
      truth:
        "go 1.27 起拒绝写 GOROOT，同一条命令里的 GOPATH 也不会写。1.26 及更早会写入；写错后所有 go 命令都失败，go env -u 也不行，只能手工改文件。",
    },
  },
  MYTH_REPLACE_WITH_A_URL: {
    row: "S1-13",
    said: ["S1"],
    verdict: "false",
    about: ["versions", "tools"],
    shown: ["replace"],
    en: {
      claim: "replace … => http://proxy… is a risk to search go.mod for.",
      truth:
        "A URL is no target of replace: go refuses the file. Look for folders and forks in replace, for GOFLAGS, and for GOPROXY in CI files.",
    },
    "zh-CN": {
      claim: "应在 go.mod 中排查 replace … => http://proxy… 这类风险。",
      truth:
        "replace 的目标不能是 URL，go 会拒绝整个文件。该查的是指向目录和分支仓库的 replace、GOFLAGS，以及 CI 中的 GOPROXY。",
    },
  },
  MYTH_DIRECT_IS_SAFE: {
    row: "S1-14",
    said: ["S1"],
    verdict: "partly",
    about: ["GOPROXY", "direct", "sumdb"],
    shown: ["directVerified"],
    en: {
      claim: "GOPROXY=direct is safe.",
      truth:
        "What comes directly is held against the checksum database too. But repositories can vanish, hear of every build, and need git on every machine.",
    },
    "zh-CN": {
      claim: "GOPROXY=direct 是安全的。",
      truth: "直接下载同样要过校验和数据库。但仓库可能消失，能看到每次构建，而且每台机器都要有 git。",
    },
  },
  MYTH_LOWER_CASE_PROXY: {
    row: "S1-15",
    said: ["S1"],
    verdict: "partly",
    about: ["HTTP_PROXY", "ci"],
    shown: ["lowerCase"],
    en: {
      claim: "A Docker build does not inherit the proxy, and needs lower-case http_proxy.",
      truth: "go reads both spellings, HTTP_PROXY and http_proxy. What a build inherits is up to Docker.",
    },
    "zh-CN": {
      claim: "Docker 构建不继承代理，必须用小写 http_proxy。",
      truth: "go 大小写都认。构建时继承什么由 Docker 决定。",
    },
  },
  MYTH_ATHENS_AND_TLS: {
    row: "S1-16",
    said: ["S1"],
    verdict: "unverifiable",
    about: ["tools", "tls"],
    unshown: "software",
    en: {
      claim: "The settings shown for Athens and for TLS in front of it make it highly available.",
      truth: "They are about Athens, nginx and Envoy, in versions that are not named; go has no say in them.",
      probe:
        "Hold every name against the program's own example configuration, and pull one module through all replicas.",
    },
    "zh-CN": {
      claim: "文中的 Athens 与 TLS 配置可以实现高可用。",
      truth: "那是 Athens、nginx、Envoy 的配置，且没有注明版本，与 go 无关。",
      probe: "逐项对照该软件自带的示例配置，再通过每个副本下载同一个模块。",
    },
  },
} as const satisfies Myths;
