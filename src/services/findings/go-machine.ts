// What go says about the machine it runs on, and about repositories that it reads itself.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or, tail } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#machine";
const repositories = "explain-error.md#repositories";

export const goMachineFindings = {
  GO_NOT_INSTALLED: kind<Said>("fail", page, {
    en: {
      title: () => "there is no go command on PATH",
      why: "The shell, the service or the CI job has another PATH than your terminal.",
      advice: "Install Go, or put its bin folder into the PATH of this context.",
    },
    "zh-CN": {
      title: () => "PATH 中没有 go 命令",
      why: "该 shell、服务或 CI 任务的 PATH 与终端不同。",
      advice: "安装 Go，或把其 bin 目录加入此环境的 PATH。",
    },
  }),
  GO_GOROOT: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `GOROOT is not a Go installation${tail(": ", value)}`,
      why: "The variable points at a folder that is gone or belongs to another version; without it go finds its own.",
      advice: "Unset GOROOT.",
    },
    "zh-CN": {
      title: ({ value }) => `GOROOT 不是有效的 Go 安装目录${tail("：", value)}`,
      why: "该变量指向不存在的目录或其他版本；不设置时 go 会自己找到。",
      advice: "取消设置 GOROOT。",
    },
  }),
  GO_NO_HOME: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `go has no place for its files${tail(": ", value)}`,
      why: "Services and containers often have no HOME; GOPATH and GOCACHE are made from it.",
      advice: "Set HOME, or GOPATH, GOMODCACHE and GOCACHE to absolute folders.",
    },
    "zh-CN": {
      title: ({ value }) => `go 没有存放文件的位置${tail("：", value)}`,
      why: "服务和容器中常没有 HOME；GOPATH 和 GOCACHE 由它得出。",
      advice: "设置 HOME，或把 GOPATH、GOMODCACHE、GOCACHE 设为绝对路径。",
    },
  }),
  GO_NOT_WRITABLE: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `go may not write ${or(what, "a folder")}`,
      why: "The module cache belongs to another user, often to root after one run with sudo, or lies on a read-only file system.",
      advice: "Give the folder back to this user, or set GOMODCACHE to one of its own.",
    },
    "zh-CN": {
      title: ({ what }) => `go 无权写入 ${or(what, "目录")}`,
      why: "模块缓存属于其他用户（常因用过一次 sudo 而属于 root），或位于只读文件系统。",
      advice: "把目录归还给当前用户，或将 GOMODCACHE 设到自己的目录。",
    },
  }),
  GO_DISK_FULL: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `the disk is full${tail(" at ", what)}`,
      why: "go has no limit for its caches; they grow until the disk ends.",
      advice: "Free space; go clean -cache and -modcache empty go's own caches.",
    },
    "zh-CN": {
      title: ({ what }) => `磁盘已满${tail("：", what)}`,
      why: "go 的缓存没有上限，会一直增长到磁盘写满。",
      advice: "清理空间；go clean -cache 和 -modcache 可清空 go 自己的缓存。",
    },
  }),
  GO_TOO_MANY_FILES: kind<Said>("fail", page, {
    en: {
      title: () => "too many open files or connections for this machine's limits",
      why: "go opens as many connections as it has requests; low limits and busy machines run out.",
      advice: "Raise the limit (ulimit -n), or set GODEBUG=cmdgonetlimit=20.",
    },
    "zh-CN": {
      title: () => "打开的文件或连接数超过本机限制",
      why: "go 有多少请求就开多少连接；限制过低或机器繁忙时会耗尽。",
      advice: "提高限制（ulimit -n），或设置 GODEBUG=cmdgonetlimit=20。",
    },
  }),
  GO_CACHE_SETTING: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `a cache of go is not usable: ${or(value, "bad setting")}`,
      why: "The build cache cannot be switched off since Go 1.12, and folders must be absolute. It holds no modules.",
      advice: "Take the variable away, or set it to an absolute folder.",
    },
    "zh-CN": {
      title: ({ value }) => `go 的缓存不可用：${or(value, "设置错误")}`,
      why: "自 Go 1.12 起不能关闭构建缓存，目录必须是绝对路径。其中不存放模块。",
      advice: "取消该变量，或设为绝对路径。",
    },
  }),
  GO_VCS_MISSING: kind<Said>("fail", repositories, {
    en: {
      title: ({ value, what }) =>
        `${or(value, "git")} is not installed, and a repository is to be read${tail(" (", what, ")")}`,
      why: "direct, and every module that matches GOPRIVATE, needs the version control program itself.",
      advice: "Install it, or let a proxy serve the module.",
    },
    "zh-CN": {
      title: ({ value, what }) => `需要读取仓库，但没有安装 ${or(value, "git")}${tail("（", what, "）")}`,
      why: "direct 以及匹配 GOPRIVATE 的模块都需要版本控制程序本身。",
      advice: "安装它，或由代理提供该模块。",
    },
  }),
  GO_REPOSITORY_AUTH: kind<Said>("fail", repositories, {
    en: {
      title: ({ host }) => `the repository${tail(" at ", host)} wants a login, and nobody can be asked`,
      why: "go runs git without a prompt. A missing repository looks the same as one that you may not see.",
      advice: "Use a netrc file, a credential helper, or ssh: git config url.ssh://git@HOST/.insteadOf https://HOST/ .",
    },
    "zh-CN": {
      title: ({ host }) => `仓库${tail("（", host, "）")}要求登录，而 go 无法询问`,
      why: "go 运行 git 时不提示输入。仓库不存在与无权访问看起来一样。",
      advice: "使用 netrc、凭据助手或 ssh：git config url.ssh://git@HOST/.insteadOf https://HOST/ 。",
    },
  }),
  GO_REPOSITORY_HOST_KEY: kind<Said>("fail", repositories, {
    en: {
      title: ({ host }) => `ssh does not know the key of ${or(host, "the host")}`,
      why: "known_hosts of this user has no such key, or another one.",
      advice: "Get the key from the operator, and put it into known_hosts; do not switch the check off.",
    },
    "zh-CN": {
      title: ({ host }) => `ssh 不认识 ${or(host, "主机")} 的密钥`,
      why: "当前用户的 known_hosts 中没有该密钥，或密钥不同。",
      advice: "向运营者核实密钥并写入 known_hosts；不要关闭检查。",
    },
  }),
  GO_IMPORT_PATH: kind<Said>("fail", repositories, {
    en: {
      title: ({ what }) => `no repository can be found for ${or(what, "the import path")}`,
      why: "Without a proxy that has it, go asks https://PATH?go-get=1 for a go-import tag, and none came.",
      advice: "Check the path. A sign-in page of a private forge has no such tag: set up access, or a proxy.",
    },
    "zh-CN": {
      title: ({ what }) => `找不到 ${or(what, "该导入路径")} 的仓库`,
      why: "没有代理提供时，go 向 https://PATH?go-get=1 查询 go-import 标签，而没有得到。",
      advice: "检查路径。私有代码托管的登录页没有该标签：配置访问权限，或使用代理。",
    },
  }),
  GO_UNKNOWN_REVISION: kind<Said>("fail", repositories, {
    en: {
      title: ({ what, value }) => `${or(what, "the module")} has no revision ${or(value, "of that name")}`,
      why: "No tag, branch or commit of that name was found; a tag that was just pushed may be missing at a proxy for half an hour.",
      advice: "List the versions, and mind the v before the number.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "该模块")} 没有修订 ${or(value, "（未知）")}`,
      why: "没有同名的标签、分支或提交；刚推送的标签在代理上可能半小时内查不到。",
      advice: "列出版本，注意数字前的 v。",
    },
  }),
  GO_REPOSITORY_STATUS: kind<Said>("fail", repositories, {
    en: {
      title: () => "git does not want to read this working copy",
      why: "The folder belongs to another user, typical of containers and CI; go asks git for the version to stamp into the binary.",
      advice: "git config --global --add safe.directory FOLDER, or go build -buildvcs=false.",
    },
    "zh-CN": {
      title: () => "git 拒绝读取此工作目录",
      why: "目录属于其他用户，常见于容器和 CI；go 需要向 git 查询版本以写入二进制。",
      advice: "git config --global --add safe.directory FOLDER，或 go build -buildvcs=false。",
    },
  }),
} as const satisfies Area;
