// What go says about modules, packages and toolchains. None of it is a network problem.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or, tail } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#modules";
const toolchains = "explain-error.md#toolchains";

export const goModuleFindings = {
  GO_NO_MODULE_FOR_PACKAGE: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `go.mod requires no module with package ${or(what, "that is imported")}`,
      why: "Builds do not add requirements by themselves since Go 1.16.",
      advice: "go get the package, or run go mod tidy.",
    },
    "zh-CN": {
      title: ({ what }) => `go.mod 中没有提供包 ${or(what, "（被导入的包）")} 的模块`,
      why: "自 Go 1.16 起，构建不会自动添加依赖。",
      advice: "go get 该包，或运行 go mod tidy。",
    },
  }),
  GO_CANNOT_FIND_MODULE: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `no module was found for package ${or(what, "that is imported")}`,
      why: "go asked for the path and for every parent of it. The reason stands behind the colon, if there was one.",
      advice: "Check the import path; for a private one set GOPRIVATE.",
    },
    "zh-CN": {
      title: ({ what }) => `找不到包 ${or(what, "（被导入的包）")} 所在的模块`,
      why: "go 已查询该路径及其各级父路径。若有原因，写在冒号之后。",
      advice: "检查导入路径；私有包请设置 GOPRIVATE。",
    },
  }),
  GO_PACKAGE_NOT_IN_MODULE: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `the module is there, its version has no package ${or(what, "of that path")}`,
      why: "The package was moved, is newer than the version, or belongs to a module of its own.",
      advice: "Look at the module's newest version, and at /v2 and higher paths.",
    },
    "zh-CN": {
      title: ({ what }) => `模块存在，但该版本中没有包 ${or(what, "（该路径）")}`,
      why: "包已移动、比该版本新，或属于另一个模块。",
      advice: "查看模块的最新版本，以及 /v2 等更高主版本的路径。",
    },
  }),
  GO_OTHER_PATH: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) => `${or(what, "a module")} calls itself ${or(value, "otherwise")} in its go.mod`,
      why: "A fork, or a module that moved: it can be required under its own name only.",
      advice: "Require the path that it declares, or keep the old one with a replace line.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "某模块")} 的 go.mod 声明自己为 ${or(value, "另一路径")}`,
      why: "这是分支仓库或已迁移的模块：只能用它自己的路径引用。",
      advice: "改用它声明的路径，或用 replace 保留旧路径。",
    },
  }),
  GO_NO_VERSION: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) => `${or(what, "the module")} has no version for ${or(value, "that query")}`,
      why: "The list is empty or has nothing that fits. An empty list with 200 ends the search after a comma.",
      advice: "List the versions at several mirrors: a list may be stale or filtered.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "该模块")} 没有符合 ${or(value, "该查询")} 的版本`,
      why: "列表为空或没有符合的版本。以 200 返回的空列表会使逗号之后不再查询。",
      advice: "向几个镜像查询版本列表：列表可能过期或被过滤。",
    },
  }),
  GO_BAD_VERSION: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) => `${or(what, "a version")} cannot be used: ${or(value, "invalid version")}`,
      why: "Path and version must agree: v2 and higher end the path in /v2; branch names with a slash cannot be asked of a proxy.",
      advice: "Write the version as v1.2.3, and the path with its major version suffix.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "该版本")} 不可用：${or(value, "版本无效")}`,
      why: "路径与版本必须一致：v2 及以上的路径以 /v2 结尾；带斜线的分支名无法向代理查询。",
      advice: "版本写成 v1.2.3，路径带上主版本后缀。",
    },
  }),
  GO_BAD_PATH: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) => `${or(what, "this")} is no module path: ${or(value, "malformed")}`,
      why: "The first element of a module path is a host with a dot; a typing error or a local name has none.",
      advice: "Correct the import, or replace a local module by its folder.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "它")} 不是模块路径：${or(value, "格式错误")}`,
      why: "模块路径的第一段是带点的主机名；拼写错误或本地名称没有点。",
      advice: "改正导入路径，或用 replace 指向本地目录。",
    },
  }),
  GO_REPLACE: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `a replace line of go.mod does not work: ${or(value, "bad replacement")}`,
      why: "The right side is a folder that begins with . or /, or a module path with a version; never a URL.",
      advice: "Correct the line; a folder must exist on the machine that builds, in CI too.",
    },
    "zh-CN": {
      title: ({ value }) => `go.mod 中的 replace 无效：${or(value, "替换错误")}`,
      why: "右侧应为以 . 或 / 开头的目录，或带版本的模块路径；不能是 URL。",
      advice: "改正该行；目录必须存在于构建的机器上，CI 也一样。",
    },
  }),
  GO_GO_MOD: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) => `${or(what, "go.mod")} cannot be read: ${or(value, "syntax")}`,
      why: "The file has a line that this Go does not understand: a mistake, or a line of a newer Go.",
      advice: "Look at the line; go mod edit -fmt shows whether the file is well-formed.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "go.mod")} 无法解析：${or(value, "语法错误")}`,
      why: "文件中有此版本 Go 不认识的行：写错了，或属于更新的 Go。",
      advice: "查看该行；go mod edit -fmt 可检查格式。",
    },
  }),
  GO_NO_GO_MOD: kind<Said>("fail", page, {
    en: {
      title: () => "there is no go.mod here nor above",
      why: "The command needs a main module; the working folder is another one than expected, often in CI and containers.",
      advice: "Change into the module, or use go install PATH@VERSION for a program.",
    },
    "zh-CN": {
      title: () => "此目录及上级目录中没有 go.mod",
      why: "该命令需要主模块；工作目录与预期不同，常见于 CI 和容器。",
      advice: "进入模块目录，或用 go install PATH@VERSION 安装程序。",
    },
  }),
  GO_MOD_NEEDS_UPDATE: kind<Said>("fail", page, {
    en: {
      title: () => "go.mod is not up to date, and this command may not change it",
      why: "-mod=readonly is the default: builds report what go mod tidy would change.",
      advice: "Run go mod tidy and commit the result.",
    },
    "zh-CN": {
      title: () => "go.mod 需要更新，而此命令不能修改它",
      why: "默认 -mod=readonly：构建只报告 go mod tidy 会做的更改。",
      advice: "运行 go mod tidy 并提交结果。",
    },
  }),
  GO_AMBIGUOUS_IMPORT: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `package ${or(what, "that is imported")} is in two modules at once`,
      why: "A module was split, and both the old whole and the new part are in the graph.",
      advice: "Upgrade the older module to a version without the package.",
    },
    "zh-CN": {
      title: ({ what }) => `包 ${or(what, "（被导入的包）")} 同时存在于两个模块`,
      why: "模块被拆分后，旧的整体和新的部分都在依赖图中。",
      advice: "把旧模块升级到不含该包的版本。",
    },
  }),
  GO_NOT_IN_STD: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `${or(what, "a package")} is not in this Go's standard library`,
      why: "A path without a dot is looked for there alone: a newer Go has it, or the import lacks its host.",
      advice: "Look at the go line of go.mod and at the import.",
    },
    "zh-CN": {
      title: ({ what }) => `此版本 Go 的标准库中没有 ${or(what, "该包")}`,
      why: "不带点的路径只在标准库中查找：可能更新的 Go 才有，或导入路径漏写主机名。",
      advice: "检查 go.mod 的 go 行和导入路径。",
    },
  }),
  GO_RETRACTED: kind<Said>("info", page, {
    en: {
      title: ({ what, value }) => `${or(what, "a version")} was retracted by its author${tail(": ", value)}`,
      why: "It still works and is still served; the author advises against it.",
      advice: "Upgrade when you can.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "某版本")} 已被作者撤回${tail("：", value)}`,
      why: "仍可使用，代理也仍提供；作者不建议使用。",
      advice: "方便时升级。",
    },
  }),
  GO_DEPRECATED: kind<Said>("info", page, {
    en: {
      title: ({ what, value }) => `module ${or(what, "")} is deprecated${tail(": ", value)}`,
      why: "The author says so in go.mod; nothing fails because of it.",
    },
    "zh-CN": {
      title: ({ what, value }) => `模块 ${or(what, "")} 已弃用${tail("：", value)}`,
      why: "作者在 go.mod 中注明；不会因此失败。",
    },
  }),
  GO_TOO_OLD: kind<Said>("fail", toolchains, {
    en: {
      title: ({ value, what }) => `this Go is too old${tail(" for ", what)}${tail(": ", value)}`,
      why: "A go line names the oldest Go that may build; with GOTOOLCHAIN=local, or before Go 1.21, none is downloaded.",
      advice: "Install that Go, or allow the switch: GOTOOLCHAIN=auto.",
    },
    "zh-CN": {
      title: ({ value, what }) => `Go 版本过低${tail("（", what, "）")}${tail("：", value)}`,
      why: "go 行写明可用于构建的最低版本；GOTOOLCHAIN=local 或 Go 1.21 之前不会自动下载。",
      advice: "安装该版本，或允许切换：GOTOOLCHAIN=auto。",
    },
  }),
  GO_TOOLCHAIN_UNAVAILABLE: kind<Said>("fail", toolchains, {
    en: {
      title: ({ value }) => `toolchain ${or(value, "of that version")} is to be had nowhere`,
      why: "Toolchains are modules: golang.org/toolchain through GOPROXY. A mirror without them, or GOPRIVATE=*, makes them unavailable.",
      advice: "Check that the proxy serves golang.org/toolchain and that no pattern of GONOPROXY matches it.",
    },
    "zh-CN": {
      title: ({ value }) => `无处获得工具链 ${or(value, "（该版本）")}`,
      why: "工具链也是模块：经 GOPROXY 获取 golang.org/toolchain。镜像不提供，或 GOPRIVATE=* 时就无法获得。",
      advice: "确认代理提供 golang.org/toolchain，且 GONOPROXY 没有匹配它。",
    },
  }),
  GO_GOTOOLCHAIN_VALUE: kind<Said>("fail", toolchains, {
    en: {
      title: ({ value }) => `GOTOOLCHAIN is not usable: ${or(value, "bad value")}`,
      why: "It is local, auto, path, or a full name such as go1.26.8, with +auto or +path behind it. go1.26 alone is a language version.",
      advice: "Set it to auto, or to a full version.",
    },
    "zh-CN": {
      title: ({ value }) => `GOTOOLCHAIN 不可用：${or(value, "值无效")}`,
      why: "可为 local、auto、path，或完整名称如 go1.26.8，后面可加 +auto 或 +path。go1.26 只是语言版本。",
      advice: "设为 auto，或写完整版本。",
    },
  }),
  GO_COMMAND_ENDED: kind<Said>("info", page, {
    en: {
      title: ({ value }) => `a step ended because of the failure above: ${value}`,
      why: "Shells, make, docker and CI systems repeat that something failed; they know no reason.",
    },
    "zh-CN": {
      title: ({ value }) => `上述失败导致某步骤结束：${value}`,
      why: "shell、make、docker 和 CI 只是重复“失败了”，不知道原因。",
    },
  }),
} as const satisfies Area;
