// What can be wrong with the settings of go beside GOPROXY and GOSUMDB: ENV_…

import type { None } from "#services/errors/messages.ts";
import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

const file = "env.md#go-env-file";
const privacy = "env.md#private-modules";
const others = "env.md#other-variables";

type Name = { readonly name: string };
type Pattern = Name & { readonly pattern: string };

export const settingFindings = {
  ENV_FILE_IGNORED_LINE: kind<{ text: string; why: "blank" | "export" | "lower-case" | "no-equals" }>("warn", file, {
    en: {
      title: ({ text, why }) =>
        `go passes over this line: ${{ blank: "it begins with a blank", export: "it begins with export", "lower-case": "it does not begin with a capital letter", "no-equals": "it has no =" }[why]}: ${text}`,
      why: "A go env file is KEY=VALUE from the first column on; go ignores every other line without a word.",
      advice: "Write settings with go env -w instead of an editor.",
    },
    "zh-CN": {
      title: ({ text, why }) =>
        `go 会忽略此行（${{ blank: "行首有空格", export: "行首有 export", "lower-case": "行首不是大写字母", "no-equals": "没有 =" }[why]}）：${text}`,
      why: "go env 文件的每行必须从第一列起写 KEY=VALUE，其他行会被无声忽略。",
      advice: "请用 go env -w 写入，不要手工编辑。",
    },
  }),
  ENV_FILE_KEY_BLANK: kind<Name>("warn", file, {
    en: {
      title: ({ name }) => `a blank before = makes another name of ${name}: the line does nothing`,
      why: "Nothing is trimmed: KEY = v sets a variable whose name ends with a blank.",
    },
    "zh-CN": {
      title: ({ name }) => `= 前的空格使 ${name} 变成了另一个名称：此行无效`,
      why: "文件内容不会去空格：KEY = v 设置的是名称末尾带空格的变量。",
    },
  }),
  ENV_FILE_DUPLICATE: kind<Name & { lines: string }>("warn", file, {
    en: {
      title: ({ name, lines }) => `${name} stands there more than once, in lines ${lines}: the last one counts`,
      why: "Of two lines with one name go takes the last; go env -w leaves only one.",
    },
    "zh-CN": {
      title: ({ name, lines }) => `${name} 出现多次（第 ${lines} 行）：以最后一行为准`,
      why: "同名的行 go 取最后一行；go env -w 只会保留一行。",
    },
  }),
  ENV_FILE_CR: kind<Name>("warn", file, {
    en: {
      title: ({ name }) => `the line of ${name} ends with a carriage return, which is part of the value`,
      why: "go splits at line feeds only. GOPROXY and GOSUMDB survive a CR at the end; patterns and flags do not.",
      advice: "Save the file with Unix line ends, or write the value with go env -w.",
    },
    "zh-CN": {
      title: ({ name }) => `${name} 所在行以回车符结尾，它成了值的一部分`,
      why: "go 只按换行符分行。GOPROXY 和 GOSUMDB 不受末尾 CR 影响，模式和标志则会失效。",
      advice: "请以 Unix 换行保存文件，或用 go env -w 重新写入。",
    },
  }),
  ENV_FILE_PROCESS_ONLY: kind<Name>("warn", file, {
    en: {
      title: ({ name }) => `${name} in the go env file does nothing`,
      why: "GODEBUG, GOENV, the HTTP proxies, SSL_CERT_* and NETRC are read from the process environment alone; go env -w refuses them.",
      advice: "Export it where go is started.",
    },
    "zh-CN": {
      title: ({ name }) => `go env 文件中的 ${name} 无效`,
      why: "GODEBUG、GOENV、HTTP 代理、SSL_CERT_* 和 NETRC 只从进程环境读取；go env -w 会拒绝它们。",
      advice: "请在启动 go 的地方 export。",
    },
  }),
  ENV_FILE_UNREADABLE: kind<{ reason: string }>("warn", file, {
    en: {
      title: ({ reason }) => `the go env file cannot be read: ${reason}`,
      why: "go goes on without it and does not say so: every setting in it is lost.",
    },
    "zh-CN": {
      title: ({ reason }) => `无法读取 go env 文件：${reason}`,
      why: "go 会跳过它继续运行且不作提示：其中的设置全部失效。",
    },
  }),
  ENV_FILE_NOWHERE: kind<{ missing: string }>("warn", file, {
    en: {
      title: ({ missing }) => `there is no place for a go env file: ${missing} is not set`,
      why: "Services and CI jobs often have no HOME: what go env -w wrote for a user does not hold for them, and go env -w fails there.",
      advice: "Set HOME for the service, or GOENV, or the variables themselves.",
    },
    "zh-CN": {
      title: ({ missing }) => `无处存放 go env 文件：未设置 ${missing}`,
      why: "服务和 CI 作业常常没有 HOME：用户用 go env -w 写的设置对它们不起作用，在那里执行 go env -w 也会失败。",
      advice: "请为服务设置 HOME 或 GOENV，或直接设置这些变量。",
    },
  }),
  ENV_SHADOWED: kind<Name>("warn", file, {
    en: {
      title: ({ name }) => `${name} of the environment hides what go env -w wrote`,
      why: "The process environment comes first: as long as the variable is set, go env -w changes nothing for this process.",
      advice: "Find where it is exported (shell start-up files, CI, IDE) and take it out there.",
    },
    "zh-CN": {
      title: ({ name }) => `环境变量 ${name} 盖住了 go env -w 写的值`,
      why: "进程环境优先：只要该变量存在，go env -w 对该进程就不起作用。",
      advice: "请找到 export 它的地方（shell 启动文件、CI、IDE）并去掉。",
    },
  }),
  ENV_UNKNOWN_NAME: kind<Name & { meant: string }>("warn", others, {
    en: {
      title: ({ name, meant }) => `no go command reads ${name}${meant === "" ? "" : `; did you mean ${meant}`}`,
      why: "go knows a fixed set of variables (go help environment) and ignores every other name without a word.",
    },
    "zh-CN": {
      title: ({ name, meant }) => `go 不读取 ${name}${meant === "" ? "" : `；是否想写 ${meant}`}`,
      why: "go 只认固定的一组变量（go help environment），其他名称会被无声忽略。",
    },
  }),
  ENV_TOO_NEW: kind<Name & { since: string; version: string }>("info", others, {
    en: {
      title: ({ name, since, version }) => `${name} is set, and Go ${version} does not know it yet (since ${since})`,
      why: "A variable does nothing for releases that are older than it.",
    },
    "zh-CN": {
      title: ({ name, since, version }) => `已设置 ${name}，但 Go ${version} 尚不认识它（自 ${since} 起）`,
      why: "对早于该变量的版本，它不起任何作用。",
    },
  }),
  ENV_QUOTES: kind<Name & { value: string }>("warn", others, {
    en: {
      title: ({ name, value }) => `the quotes are part of ${name}: ${value}`,
      why: "Outside a shell nothing takes quotes away: patterns and paths with quotes in them match nothing.",
    },
    "zh-CN": {
      title: ({ name, value }) => `引号成了 ${name} 的一部分：${value}`,
      why: "在 shell 之外没有谁会去掉引号：带引号的模式和路径匹配不到任何东西。",
    },
  }),
  ENV_PATTERN_BLANK: kind<Pattern>("fail", privacy, {
    en: {
      title: ({ name, pattern }) => `${name}: "${pattern}" matches nothing because of the blank`,
      why: "Patterns are split at commas and not trimmed; no module path holds a blank. What was meant to be private is asked of proxies and the database.",
    },
    "zh-CN": {
      title: ({ name, pattern }) => `${name}：“${pattern}” 含空格，匹配不到任何模块`,
      why: "模式按逗号切分且不去空格，而模块路径中没有空格。本应私有的模块会被拿去询问代理和数据库。",
    },
  }),
  ENV_PATTERN_URL: kind<Pattern>("fail", privacy, {
    en: {
      title: ({ name, pattern }) => `${name}: "${pattern}" is no module path and matches nothing`,
      why: "A pattern is matched against the first elements of a module path, which has no scheme, no port and no user.",
      advice: "Write the host and the path alone: git.corp.example/team.",
    },
    "zh-CN": {
      title: ({ name, pattern }) => `${name}：“${pattern}” 不是模块路径，匹配不到任何模块`,
      why: "模式与模块路径的前几段比较，模块路径没有协议、端口和用户名。",
      advice: "只写主机和路径，例如 git.corp.example/team。",
    },
  }),
  ENV_PATTERN_SEPARATOR: kind<Pattern & { mark: string }>("fail", privacy, {
    en: {
      title: ({ name, pattern, mark }) => `${name}: ${mark} does not separate patterns: "${pattern}"`,
      why: "Only an ASCII comma separates patterns; with anything else between them none of them matches.",
    },
    "zh-CN": {
      title: ({ name, pattern, mark }) => `${name}：${mark} 不是分隔符：“${pattern}”`,
      why: "模式之间只能用半角逗号，用其他字符时全部失效。",
    },
  }),
  ENV_PATTERN_MALFORMED: kind<Pattern>("fail", privacy, {
    en: {
      title: ({ name, pattern }) => `${name}: "${pattern}" is malformed and matches nothing`,
      why: "A bracket that is not closed or a backslash at the end makes a pattern that path.Match refuses; go passes over it without a word.",
    },
    "zh-CN": {
      title: ({ name, pattern }) => `${name}：“${pattern}” 格式有误，匹配不到任何模块`,
      why: "未闭合的方括号或末尾的反斜杠会被 path.Match 拒绝，go 则无声跳过。",
    },
  }),
  ENV_PATTERN_CASE: kind<Pattern>("warn", privacy, {
    en: {
      title: ({ name, pattern }) => `${name}: "${pattern}" has capitals in its host: no module path has`,
      why: "Patterns are case-sensitive, and the first element of a module path is lower case.",
    },
    "zh-CN": {
      title: ({ name, pattern }) => `${name}：“${pattern}” 的主机部分含大写字母，而模块路径没有`,
      why: "模式区分大小写，模块路径的第一段只能小写。",
    },
  }),
  ENV_PRIVATE_ALL: kind<Pattern>("warn", privacy, {
    en: {
      title: ({ name, pattern }) => `${name}=${pattern} covers every module`,
      why: "GONOPROXY (or GOPRIVATE) of * passes every proxy by: all modules come from their repositories, and newer toolchains cannot be downloaded.",
      advice: "Name the private hosts alone.",
    },
    "zh-CN": {
      title: ({ name, pattern }) => `${name}=${pattern} 覆盖所有模块`,
      why: "GONOPROXY（或 GOPRIVATE）为 * 会绕过所有代理：全部模块取自各自的仓库，也无法下载新的工具链。",
      advice: "只写私有主机。",
    },
  }),
  ENV_PRIVATE_PASSES_PROXY: kind<{ pattern: string; proxy: string }>("warn", privacy, {
    en: {
      title: ({ pattern, proxy }) => `modules of ${pattern} pass by ${proxy}, which seems to be there to serve them`,
      why: "GOPRIVATE is the default of GONOPROXY: what it covers is fetched from its repository and never asked of a proxy.",
      advice:
        "Where the proxy serves private modules, set GONOPROXY=none and keep GOPRIVATE for the checksum database.",
    },
    "zh-CN": {
      title: ({ pattern, proxy }) => `${pattern} 的模块会绕过 ${proxy}，而它似乎正是用来提供这些模块的`,
      why: "GOPRIVATE 是 GONOPROXY 的默认值：被它覆盖的模块直接取自仓库，从不询问代理。",
      advice: "若代理负责提供私有模块，请设 GONOPROXY=none，GOPRIVATE 只用于校验和数据库。",
    },
  }),
  ENV_INSECURE: kind<{ value: string }>("warn", privacy, {
    en: {
      title: ({ value }) => `GOINSECURE=${value}: these repositories may be fetched over http and with any certificate`,
      why: "It concerns direct fetches alone. Proxies and the checksum database always need a valid certificate; to trust an authority of your own, add it to the system or SSL_CERT_FILE.",
    },
    "zh-CN": {
      title: ({ value }) => `GOINSECURE=${value}：这些仓库可经 http 获取，且不检查证书`,
      why: "它只影响直接获取。代理和校验和数据库始终要求有效证书；要信任自己的证书机构，请加入系统或 SSL_CERT_FILE。",
    },
  }),
  ENV_GOVCS_MALFORMED: kind<{ entry: string }>("fail", others, {
    en: {
      title: ({ entry }) => `GOVCS: malformed entry "${entry}"`,
      why: "Each entry is PATTERN:VCS|VCS, such as public:git; go stops at the first one that is not.",
    },
    "zh-CN": {
      title: ({ entry }) => `GOVCS：条目 “${entry}” 格式有误`,
      why: "每个条目应为 模式:VCS|VCS，例如 public:git；遇到第一个不合格的条目 go 就报错。",
    },
  }),
  ENV_GOFLAGS_MALFORMED: kind<{ word: string }>("fail", others, {
    en: {
      title: ({ word }) => `GOFLAGS: "${word}" is no flag, and no go command runs`,
      why: "Every word must be one flag with its value: -mod=mod, never -mod mod. Quotes must be closed.",
    },
    "zh-CN": {
      title: ({ word }) => `GOFLAGS：“${word}” 不是标志，所有 go 命令都会失败`,
      why: "每个词必须是带值的一个标志：-mod=mod，而不是 -mod mod；引号必须成对。",
    },
  }),
  ENV_GOFLAGS_INSECURE: kind<None>("fail", others, {
    en: {
      title: () => "GOFLAGS has -insecure, which no go command knows since 1.17",
      why: "go get stops with: -insecure flag is no longer supported. It never switched verification off.",
      advice: "Take it out; for one host without TLS there is GOINSECURE, which proxies do not heed.",
    },
    "zh-CN": {
      title: () => "GOFLAGS 含 -insecure，自 Go 1.17 起已不存在",
      why: "go get 会报错 -insecure flag is no longer supported；它也从未关闭过校验。",
      advice: "请去掉；个别没有 TLS 的主机可用 GOINSECURE（对代理无效）。",
    },
  }),
  ENV_GOFLAGS_VENDOR: kind<None>("info", others, {
    en: {
      title: () => "GOFLAGS has -mod=vendor: builds never ask a proxy",
      why: "Commands that build and go list read the vendor folder alone and fail without one; go get and go mod ignore the flag and download as ever.",
    },
    "zh-CN": {
      title: () => "GOFLAGS 含 -mod=vendor：构建从不询问代理",
      why: "构建类命令和 go list 只读 vendor 目录，没有就失败；go get 和 go mod 忽略此标志，照常下载。",
    },
  }),
  ENV_GOFLAGS_MOD_MOD: kind<None>("info", others, {
    en: {
      title: () => "GOFLAGS has -mod=mod: builds may change go.mod and download what is missing",
      why: "Without it go build takes go.mod as it is; with it a build resolves missing requirements over the network.",
    },
    "zh-CN": {
      title: () => "GOFLAGS 含 -mod=mod：构建可能修改 go.mod 并下载缺失的依赖",
      why: "没有它时 go build 不改 go.mod；有它时构建会联网解析缺失的依赖。",
    },
  }),
  ENV_MODULES_OFF: kind<None>("fail", others, {
    en: {
      title: () => "GO111MODULE=off: go get and go mod do not work",
      why: "They stop with: modules disabled by GO111MODULE=off. Current releases do not clone into GOPATH instead.",
    },
    "zh-CN": {
      title: () => "GO111MODULE=off：go get 和 go mod 无法使用",
      why: "它们会报错 modules disabled by GO111MODULE=off；现在的版本也不会改为克隆到 GOPATH。",
    },
  }),
  ENV_MODULES_WORD: kind<{ value: string }>("fail", others, {
    en: {
      title: ({ value }) => `GO111MODULE=${value} is unknown: no go command runs`,
      why: "The only words are on, off and auto, in lower case; nothing at all means on.",
    },
    "zh-CN": {
      title: ({ value }) => `GO111MODULE=${value} 无法识别：所有 go 命令都会失败`,
      why: "只能是小写的 on、off、auto；不设置等于 on。",
    },
  }),
  ENV_PATH_RELATIVE: kind<Name & { value: string }>("fail", others, {
    en: {
      title: ({ name, value }) => `${name}=${value} is no absolute path`,
      why: "go refuses a relative GOPATH, GOMODCACHE or GOCACHE: it would mean another folder in every directory. ~ is not expanded.",
    },
    "zh-CN": {
      title: ({ name, value }) => `${name}=${value} 不是绝对路径`,
      why: "go 拒绝相对的 GOPATH、GOMODCACHE、GOCACHE：在不同目录下含义不同。~ 不会展开。",
    },
  }),
  ENV_CACHE_OFF: kind<None>("fail", others, {
    en: {
      title: () => "GOCACHE=off: no build works",
      why: "The build cache has been required since Go 1.12; it has nothing to do with the module cache.",
    },
    "zh-CN": {
      title: () => "GOCACHE=off：所有构建都会失败",
      why: "自 Go 1.12 起构建缓存是必需的；它与模块缓存无关。",
    },
  }),
  ENV_TOOLCHAIN_WORD: kind<{ value: string; meant: string }>("fail", others, {
    en: {
      title: ({ value, meant }) => `GOTOOLCHAIN=${value} names no release${meant === "" ? "" : `: go${meant} would`}`,
      why: "It is local, auto, path, or goX.Y.Z, perhaps with +auto or +path. From 1.21 on a release has three numbers.",
    },
    "zh-CN": {
      title: ({ value, meant }) => `GOTOOLCHAIN=${value} 不是发布版本${meant === "" ? "" : `，应写 go${meant}`}`,
      why: "可用 local、auto、path 或 goX.Y.Z，后面可加 +auto 或 +path。自 1.21 起发布版本有三段数字。",
    },
  }),
  ENV_TOOLCHAIN_PINNED: kind<{ value: string }>("info", others, {
    en: {
      title: ({ value }) => `GOTOOLCHAIN=${value}: a go.mod that asks for a newer Go fails`,
      why: "Without +auto no other release is looked for, whatever go and toolchain lines say.",
    },
    "zh-CN": {
      title: ({ value }) => `GOTOOLCHAIN=${value}：要求更新 Go 的 go.mod 会失败`,
      why: "没有 +auto 时不会寻找其他版本，无论 go 行和 toolchain 行怎么写。",
    },
  }),
  ENV_TOOLCHAIN_LOOP: kind<Name>("fail", others, {
    en: {
      title: ({ name }) => `${name} is set: toolchain switches go wrong`,
      why: "go sets it for the toolchain that it starts and counts to 100; in an environment of yours it makes every start look like a switch.",
      advice: "Take it out of the environment. It comes there when a go command starts a shell or a service.",
    },
    "zh-CN": {
      title: ({ name }) => `已设置 ${name}：工具链切换会出错`,
      why: "它由 go 设给自己启动的工具链，计数上限 100；留在环境中会使每次启动都像一次切换。",
      advice: "请从环境中去掉；go 命令启动 shell 或服务时会把它带进去。",
    },
  }),
  ENV_ALL_PROXY: kind<Name>("warn", others, {
    en: {
      title: ({ name }) => `go does not read ${name}`,
      why: "net/http knows HTTPS_PROXY, HTTP_PROXY and NO_PROXY (either case); curl and others read ALL_PROXY as well, which is why they get through.",
      advice: "Set HTTPS_PROXY and HTTP_PROXY too.",
    },
    "zh-CN": {
      title: ({ name }) => `go 不读取 ${name}`,
      why: "net/http 只认 HTTPS_PROXY、HTTP_PROXY、NO_PROXY（大小写均可）；curl 等还会读 ALL_PROXY，所以它们能通。",
      advice: "请同时设置 HTTPS_PROXY 和 HTTP_PROXY。",
    },
  }),
  ENV_PROXY_UNREADABLE: kind<Name & { value: string }>("warn", others, {
    en: {
      title: ({ name, value }) => `${name}=${value} is no URL: go connects without a proxy`,
      why: "A value that cannot be read counts as none, and nothing is said about it.",
    },
    "zh-CN": {
      title: ({ name, value }) => `${name}=${value} 不是 URL：go 会不经代理直接连接`,
      why: "无法解析的值等同于没有，且没有任何提示。",
    },
  }),
  ENV_CERTIFICATES_UNHEARD: kind<{ platform: string; version: string }>("warn", others, {
    en: {
      title: ({ version }) => `SSL_CERT_FILE and SSL_CERT_DIR are not read by Go ${version} on this system`,
      why: "macOS and Windows use the system's authorities alone until Go 1.26; from 1.27 on the two variables count there too.",
      advice: "Add the authority to the system's store.",
    },
    "zh-CN": {
      title: ({ version }) => `Go ${version} 在此系统上不读取 SSL_CERT_FILE 和 SSL_CERT_DIR`,
      why: "Go 1.26 及以前，macOS 和 Windows 只用系统的证书机构；自 1.27 起这两个变量在那里也生效。",
      advice: "请把证书机构加入系统存储。",
    },
  }),
  ENV_NETRC_PORT: kind<{ machine: string; wanted: string; version: string }>("warn", others, {
    en: {
      title: ({ machine, wanted, version }) =>
        `netrc names machine ${machine}; Go ${version} looks for machine ${wanted}`,
      why: "Up to Go 1.23 a machine is compared with the host without its port, from 1.24 on with the beginning of the URL, port included.",
      advice: "Write both entries, with the port and without, for as long as both kinds of go are in use.",
    },
    "zh-CN": {
      title: ({ machine, wanted, version }) =>
        `netrc 写的是 machine ${machine}；Go ${version} 找的是 machine ${wanted}`,
      why: "Go 1.23 及以前用不带端口的主机名比较，自 1.24 起用包括端口的 URL 开头比较。",
      advice: "两类 go 并存期间，请带端口和不带端口各写一条。",
    },
  }),
  ENV_GOAUTH_MALFORMED: kind<{ value: string }>("fail", others, {
    en: {
      title: ({ value }) => `GOAUTH=${value}: go stops at the first https request`,
      why: "Entries are separated by ; and none may be empty; off stands alone; git takes one absolute folder.",
    },
    "zh-CN": {
      title: ({ value }) => `GOAUTH=${value}：第一次 https 请求时 go 就报错`,
      why: "条目以 ; 分隔且不能为空；off 只能单独出现；git 后面是一个绝对路径的目录。",
    },
  }),
} as const satisfies Area;
