// What only the whole picture shows: codes of `granary doctor` itself.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

type None = Readonly<Record<string, never>>;

export const doctorFindings = {
  GO_MISSING: kind<None>("warn", "doctor.md#without-go", {
    en: {
      title: () => "there is no go command on PATH",
      why: "Settings are read as the newest go that granary knows would read them; what only a go can show is left out.",
      advice: "Install Go, or start this from a shell in which `go version` works.",
    },
    "zh-CN": {
      title: () => "PATH 中没有 go 命令",
      why: "设置按 granary 所知的最新 go 来解读；只有 go 才能证明的部分未做检查。",
      advice: "安装 Go，或在能运行 `go version` 的终端中执行。",
    },
  }),
  GO_CVE_WINDOW: kind<{ version: string; release: string; proxy: string }>(
    "fail",
    "doctor.md#a-go-that-can-be-lied-to",
    {
      en: {
        title: ({ version, release, proxy }) => `Go ${version} can be lied to by ${proxy}; ${release} cannot`,
        why: "Before these releases the go command accepted checksum answers without a line for the module, left tiles unauthenticated, or read hashes from unauthenticated text: whoever stands between it and the database could pass off other bytes.",
        advice: "Update Go; until then use only proxies that verify what they serve, or the official one.",
      },
      "zh-CN": {
        title: ({ version, release, proxy }) => `Go ${version} 可能被 ${proxy} 欺骗，${release} 已修复`,
        why: "在修复版本之前，go 命令会接受没有该模块条目的校验和响应、漏验部分 tile，或从未经认证的文本读取哈希：位于它与数据库之间的任何一方都可能替换内容。",
        advice: "升级 Go；在此之前只使用会校验内容的代理，或官方代理。",
      },
    },
  ),
  CHAIN_OVERRIDE_REQUIRED: kind<{ host: string }>("fail", "doctor.md#the-default-does-not-work-here", {
    en: {
      title: ({ host }) => `GOPROXY is Go's default, and ${host} cannot be reached from here`,
      why: "Nobody chose a proxy, so go asks the official one; after a failed connection a comma leads nowhere, and every download ends there.",
    },
    "zh-CN": {
      title: ({ host }) => `GOPROXY 是 Go 的默认值，而这里无法访问 ${host}`,
      why: "没有人设置过代理，go 便访问官方代理；连接失败时不会再试逗号后的条目，下载到此为止。",
    },
  }),
  GO_TOOLCHAIN_NEEDED: kind<{ needs: string; has: string; setting: string }>("fail", "doctor.md#a-newer-go-is-wanted", {
    en: {
      title: ({ needs, has, setting }) =>
        `go.mod wants Go ${needs}, this is ${has}, and GOTOOLCHAIN=${setting} forbids another`,
      why: "Since 1.21 a go line above the running version is a demand: go switches to such a toolchain, or stops when GOTOOLCHAIN does not let it.",
    },
    "zh-CN": {
      title: ({ needs, has, setting }) =>
        `go.mod 要求 Go ${needs}，当前为 ${has}，而 GOTOOLCHAIN=${setting} 不允许切换`,
      why: "自 1.21 起，高于当前版本的 go 行是硬性要求：go 会切换到相应工具链；GOTOOLCHAIN 不允许时则停止。",
    },
  }),
  GO_TOOLCHAIN_FETCHED: kind<{ needs: string; has: string }>("info", "doctor.md#a-newer-go-is-wanted", {
    en: {
      title: ({ needs, has }) =>
        `go.mod wants Go ${needs}, this is ${has}: another toolchain will be fetched through GOPROXY`,
      why: "A toolchain is a module, golang.org/toolchain: it comes from the same proxies and needs the checksum database.",
    },
    "zh-CN": {
      title: ({ needs, has }) => `go.mod 要求 Go ${needs}，当前为 ${has}：将通过 GOPROXY 下载另一工具链`,
      why: "工具链就是模块 golang.org/toolchain：来自同样的代理，并需要校验和数据库。",
    },
  }),
  GO_MOD_UNREADABLE: kind<{ file: string; reason: string }>("fail", "doctor.md#a-gomod-that-go-cannot-read", {
    en: {
      title: ({ file, reason }) => `${file} cannot be read: ${reason}`,
      why: "Without a go.mod that go can parse no command in this folder works; merge conflicts are what it is most often.",
    },
    "zh-CN": {
      title: ({ file, reason }) => `无法读取 ${file}：${reason}`,
      why: "go.mod 无法解析时，此目录下的任何 go 命令都无法工作；最常见的原因是合并冲突标记。",
    },
  }),
  GO_VENDORED: kind<None>("info", "doctor.md#a-vendor-folder", {
    en: {
      title: () => "there is a vendor folder: go build asks no proxy",
      why: "With a consistent vendor folder and go 1.14 or newer in go.mod, -mod=vendor is the default; go get and go mod tidy still ask.",
    },
    "zh-CN": {
      title: () => "存在 vendor 目录：go build 不会访问代理",
      why: "vendor 目录一致且 go.mod 中为 go 1.14 及以上时，默认 -mod=vendor；go get 与 go mod tidy 仍会访问网络。",
    },
  }),
  GO_BUILD_LIST: kind<{ line: string }>("fail", "doctor.md#the-build-list", {
    en: {
      title: ({ line }) => `go list -m all fails: ${line}`,
      why: "The build list needs the go.mod of every module in the graph; what go says is the first of them that could not be had.",
    },
    "zh-CN": {
      title: ({ line }) => `go list -m all 失败：${line}`,
      why: "构建列表需要图中每个模块的 go.mod；go 报告的是第一个取不到的。",
    },
  }),
  SUMDB_NAME_LEAKS: kind<{ module: string; database: string }>("fail", "doctor.md#private-modules", {
    en: {
      title: ({ module, database }) => `${module} looks private, and its name goes to ${database}`,
      why: "Without GOPRIVATE every module path of go.mod is sent to the proxies of the list and to the checksum database, which answers 404 for what is not public; only GONOSUMDB (or GOPRIVATE, which it follows) stops that, GONOPROXY does not.",
      advice: "Set GOPRIVATE to the hosts of your own modules.",
    },
    "zh-CN": {
      title: ({ module, database }) => `${module} 像是私有模块，其名称会发往 ${database}`,
      why: "没有 GOPRIVATE 时，go.mod 中的每个模块路径都会发往列表中的代理和校验和数据库，后者对非公开模块返回 404；能阻止它的只有 GONOSUMDB（或它所跟随的 GOPRIVATE），GONOPROXY 不行。",
      advice: "把 GOPRIVATE 设为自己模块所在的主机。",
    },
  }),
} as const satisfies Area;
