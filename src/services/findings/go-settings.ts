// What go says about its own settings.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or, tail } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#settings";

export const goSettingFindings = {
  GO_GOPROXY_OFF: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `GOPROXY=off forbids every download${tail(" (", what, ")")}`,
      why: "off does not mean a direct connection: it means nothing but the module cache. A damaged go.mod in the cache gives the same words.",
      advice: "Set a proxy, or direct; with off on purpose, fill the cache first.",
    },
    "zh-CN": {
      title: ({ what }) => `GOPROXY=off 禁止一切下载${tail("（", what, "）")}`,
      why: "off 不是直连，而是只用模块缓存。缓存中的 go.mod 损坏时也会出现这句话。",
      advice: "设置代理或 direct；若有意使用 off，请先填充缓存。",
    },
  }),
  GO_GOPROXY_VALUE: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `GOPROXY cannot be read: ${or(value, "bad value")}`,
      why: "Entries are http, https or file URLs, direct or off, with a comma or a | between. One bad entry spoils the whole list.",
      advice: "Look at quotes, semicolons and full-width commas: they become part of an entry.",
    },
    "zh-CN": {
      title: ({ value }) => `GOPROXY 无法解析：${or(value, "格式错误")}`,
      why: "各项应为 http、https、file URL 或 direct、off，以逗号或 | 分隔。一项错误会使整个列表失效。",
      advice: "留意引号、分号和全角逗号：它们会成为条目的一部分。",
    },
  }),
  GO_PRIVATE_SKIPPED: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `GOPRIVATE or GONOPROXY keeps ${or(what, "the module")} from every proxy`,
      why: "Matching modules go to their repository directly, never through GOPROXY, not even through a proxy of your own.",
      advice: "If your proxy is to serve them: GONOPROXY=none beside GOPRIVATE.",
    },
    "zh-CN": {
      title: ({ what }) => `GOPRIVATE 或 GONOPROXY 使 ${or(what, "该模块")} 不经过任何代理`,
      why: "匹配的模块直接访问其仓库，不经过 GOPROXY，自建代理也不例外。",
      advice: "若应由自建代理提供：在 GOPRIVATE 之外设置 GONOPROXY=none。",
    },
  }),
  GO_VENDOR_MODE: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `go builds from vendor and looks nowhere else${tail(" (", what, ")")}`,
      why: "With a vendor folder -mod=vendor is the default: no proxy and no cache is used.",
      advice: "Run go mod vendor again, or add -mod=mod to the command that is to download.",
    },
    "zh-CN": {
      title: ({ what }) => `go 只从 vendor 构建，不查其他地方${tail("（", what, "）")}`,
      why: "有 vendor 目录时默认 -mod=vendor：不使用代理和缓存。",
      advice: "重新运行 go mod vendor，或给需要下载的命令加 -mod=mod。",
    },
  }),
  GO_VENDOR_STALE: kind<Said>("fail", page, {
    en: {
      title: () => "vendor does not agree with go.mod",
      why: "vendor/modules.txt lists other versions than go.mod: one of them was changed without the other.",
      advice: "Run go mod vendor and commit the folder; no network trouble is behind this.",
    },
    "zh-CN": {
      title: () => "vendor 与 go.mod 不一致",
      why: "vendor/modules.txt 中的版本与 go.mod 不同：只改了其中之一。",
      advice: "运行 go mod vendor 并提交该目录；与网络无关。",
    },
  }),
  GO_MODULE_MODE_OFF: kind<Said>("fail", page, {
    en: {
      title: () => "GO111MODULE=off: go works without modules",
      why: "The variable dates from 2018. With off no proxy is asked, and go get no longer clones into GOPATH.",
      advice: "Take it away; on is the default since Go 1.16.",
    },
    "zh-CN": {
      title: () => "GO111MODULE=off：go 不使用模块",
      why: "该变量是 2018 年的遗留。off 时不问代理，go get 也不再克隆到 GOPATH。",
      advice: "取消设置；自 Go 1.16 起默认为 on。",
    },
  }),
  GO_MODULE_MODE_VALUE: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `GO111MODULE=${value} is no value: on, off, auto`,
      why: "go stops at any other value.",
      advice: "Take it away; on is the default.",
    },
    "zh-CN": {
      title: ({ value }) => `GO111MODULE=${value} 无效：只能是 on、off、auto`,
      why: "其他值会让 go 停止。",
      advice: "取消设置；默认为 on。",
    },
  }),
  GO_ENV_REFUSED: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `go env -w refused: ${or(value, "the variable")}`,
      why: "Only settings of go can be kept that way: no GOROOT, no GODEBUG, no invented names. Nothing of the command was written, the other values neither.",
      advice: "Export GODEBUG in the shell instead, and repeat the command without the refused name.",
    },
    "zh-CN": {
      title: ({ value }) => `go env -w 拒绝：${or(value, "该变量")}`,
      why: "只有 go 自己的设置能这样保存：GOROOT、GODEBUG 和虚构的名字不行。整条命令都没有写入，其他值也没有。",
      advice: "GODEBUG 请在 shell 中 export；去掉被拒绝的名字后重新执行。",
    },
  }),
  GO_ENV_SHADOWED: kind<Said>("warn", page, {
    en: {
      title: ({ value }) => `a variable of the shell still wins over go env -w ${or(value, "…")}`,
      why: "The process environment beats the go env file: the value was written and does nothing here.",
      advice: "Unset the variable where it is exported: a shell's rc file, a CI job, a container.",
    },
    "zh-CN": {
      title: ({ value }) => `shell 中的环境变量仍然优先于 go env -w ${or(value, "…")}`,
      why: "进程环境优先于 go env 文件：值已写入，但在这里不起作用。",
      advice: "在导出它的地方取消：shell 的 rc 文件、CI 任务或容器。",
    },
  }),
  GO_GOFLAGS: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `GOFLAGS cannot be read: ${or(value, "bad value")}`,
      why: "Each item is one flag with its dash, -mod=mod; unknown ones stop every go command.",
      advice: "Look at GOFLAGS, in the shell and in the go env file.",
    },
    "zh-CN": {
      title: ({ value }) => `GOFLAGS 无法解析：${or(value, "格式错误")}`,
      why: "每一项都是带连字符的选项，如 -mod=mod；未知选项会让所有 go 命令停止。",
      advice: "检查 shell 和 go env 文件中的 GOFLAGS。",
    },
  }),
  GO_GOVCS: kind<Said>("fail", page, {
    en: {
      title: ({ value, what }) => `GOVCS ${or(value, "forbids this version control system")}${tail(" (", what, ")")}`,
      why: "For public modules only git and hg may run; GOVCS can change that. It matters only where no proxy serves the module.",
      advice: "Take the module from a proxy, or name its host in GOVCS or GOPRIVATE.",
    },
    "zh-CN": {
      title: ({ value, what }) => `GOVCS：${or(value, "不允许该版本控制系统")}${tail("（", what, "）")}`,
      why: "公共模块只允许 git 和 hg；GOVCS 可更改。只在没有代理提供该模块时才有影响。",
      advice: "从代理获取，或在 GOVCS 或 GOPRIVATE 中写明其主机。",
    },
  }),
  GO_GOAUTH: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `GOAUTH failed: ${or(value, "its command")}`,
      why: "GOAUTH is off, netrc, git with an absolute folder, or a command that prints URLs, blank line, headers, blank line.",
      advice: "Run the command by hand and look at its last line, which must be empty.",
    },
    "zh-CN": {
      title: ({ value }) => `GOAUTH 失败：${or(value, "其命令")}`,
      why: "GOAUTH 可为 off、netrc、git 加绝对目录，或一个依次输出 URL、空行、请求头、空行的命令。",
      advice: "手工运行该命令，检查最后一行是否为空行。",
    },
  }),
  GO_INSECURE_FLAG: kind<Said>("fail", page, {
    en: {
      title: () => "go get -insecure is gone since Go 1.17",
      why: "The flag switched off TLS and checksums at once.",
      advice:
        "Mend the certificate. GOINSECURE, for names of your own, is for direct fetches only and never for proxies.",
    },
    "zh-CN": {
      title: () => "go get -insecure 自 Go 1.17 起已移除",
      why: "该选项会同时关闭 TLS 和校验和检查。",
      advice: "修复证书。GOINSECURE 只对直接获取的自有域名有效，对代理无效。",
    },
  }),
} as const satisfies Area;
