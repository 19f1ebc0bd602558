// What go says about checksums and their database.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or, tail } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#checksums";

export const goSumFindings = {
  GO_SUM_MISMATCH: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `${or(what, "a module")} is not what go.sum recorded`,
      why: "Other bytes came than the first time: a tag was moved, a mirror is wrong, a cache is damaged, or somebody tampers. Trying again gives the same.",
      advice: "Find out which bytes the checksum database knows before you touch go.sum.",
    },
    "zh-CN": {
      title: ({ what }) => `${or(what, "某模块")} 与 go.sum 的记录不符`,
      why: "内容与首次下载不同：标签被移动、镜像有误、缓存损坏，或被篡改。重试结果相同。",
      advice: "改动 go.sum 之前，先查清校验和数据库记录的是哪份内容。",
    },
  }),
  GO_SUMDB_MISMATCH: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `${or(what, "a module")} is not what the checksum database recorded`,
      why: "The proxy gave other bytes than everybody else gets. This is the attack that the database exists to show; a moved tag looks the same.",
      advice: "Do not use these bytes and leave the check on. Ask another proxy for the same version and compare.",
    },
    "zh-CN": {
      title: ({ what }) => `${or(what, "某模块")} 与校验和数据库的记录不符`,
      why: "代理给出的内容与其他人得到的不同。数据库正是为发现这种攻击而设；移动过的标签也是同样表现。",
      advice: "不要使用这份内容，也不要关闭校验。向另一个代理请求同一版本并比较。",
    },
  }),
  GO_SUMDB_ABSENT: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `the checksum database answered about something else than ${or(what, "this module")}`,
      why: "An answer without a line for the module proves nothing; fixed versions of Go refuse it (GO-2026-4984).",
      advice: "The proxy that relays the database is broken or hostile: use another route to it.",
    },
    "zh-CN": {
      title: ({ what }) => `校验和数据库的回答中没有 ${or(what, "该模块")}`,
      why: "没有该模块的记录就证明不了什么；修复后的 Go 会拒绝（GO-2026-4984）。",
      advice: "转发数据库的代理有故障或恶意：换一条路径。",
    },
  }),
  GO_SUMDB_FORK: kind<Said>("fail", page, {
    en: {
      title: () => "the checksum database shows two histories that exclude each other",
      why: "The signed head here and the one that came cannot both be true. Either the database was rebuilt under its old key, or somebody is shown another history.",
      advice:
        "Keep the text as evidence. Only if it is your own database that was rebuilt: remove GOPATH/pkg/sumdb/NAME and the cache's sumdb/NAME, and give it a new name.",
    },
    "zh-CN": {
      title: () => "校验和数据库给出了两份互相矛盾的历史",
      why: "本机保存的签名树头与收到的不可能同时为真：或是数据库用旧密钥重建，或是有人被展示了另一份历史。",
      advice:
        "保留原文作为证据。仅当是自建数据库被重建时，才删除 GOPATH/pkg/sumdb/NAME 和缓存中的 sumdb/NAME，并改用新名字。",
    },
  }),
  GO_SUMDB_UNSIGNED: kind<Said>("fail", page, {
    en: {
      title: () => "what came for the checksum database is not signed by its key",
      why: "A page of somebody else, a database of another key, or a GOSUMDB that names the wrong one.",
      advice: "Hold the key in GOSUMDB against the one that the database's operator publishes.",
    },
    "zh-CN": {
      title: () => "收到的校验和数据库内容没有其密钥的签名",
      why: "可能是别的网页、使用另一密钥的数据库，或 GOSUMDB 指向错误。",
      advice: "将 GOSUMDB 中的公钥与数据库运营者公布的对照。",
    },
  }),
  GO_SUMDB_BROKEN: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `an answer of the checksum database cannot be proven: ${or(value, "malformed")}`,
      why: "A proxy cut, cached or changed records and tiles that belong together.",
      advice: "Use another route to the database; if it stays, remove the cache's sumdb folder once.",
    },
    "zh-CN": {
      title: ({ value }) => `校验和数据库的回答无法证明：${or(value, "格式错误")}`,
      why: "代理截断、缓存或改动了本应配套的记录和瓦片。",
      advice: "换一条通往数据库的路径；若仍如此，清除一次缓存中的 sumdb 目录。",
    },
  }),
  GO_SUMDB_UNKNOWN: kind<Said>("fail", page, {
    en: {
      title: ({ what, host }) => `the checksum database${tail(" at ", host)} does not know ${or(what, "the module")}`,
      why: "Typical of a private module: its name was asked of the public database, which cannot fetch it.",
      advice: "Set GOPRIVATE, or GONOSUMDB alone, to the pattern of your private modules; go.sum still protects them.",
    },
    "zh-CN": {
      title: ({ what, host }) => `校验和数据库${tail("（", host, "）")}没有 ${or(what, "该模块")}`,
      why: "典型的私有模块情形：模块名被发给公共数据库，而它取不到该模块。",
      advice: "用私有模块的模式设置 GOPRIVATE，或只设置 GONOSUMDB；go.sum 仍会保护它们。",
    },
  }),
  GO_SUMDB_TOOLCHAIN: kind<Said>("fail", page, {
    en: {
      title: () => "a Go toolchain was to be downloaded while the checksum database is off",
      why: "go verifies toolchains against a checksum database always; without one it refuses them.",
      advice: "Set GOSUMDB to its default again, or install that Go by other means.",
    },
    "zh-CN": {
      title: () => "要下载 Go 工具链，但校验和数据库已关闭",
      why: "go 始终用校验和数据库校验工具链；没有数据库就拒绝。",
      advice: "恢复 GOSUMDB 的默认值，或用其他方式安装该版本的 Go。",
    },
  }),
  GO_GOSUMDB_VALUE: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `GOSUMDB is no database that go understands: ${or(value, "bad value")}`,
      why: "Its value is a known name, or name+hash+key, and then at most one URL. There is no +insecure, no direct, no bare URL.",
      advice:
        "Take the value away: the default is right for nearly everybody. Private modules are named in GOPRIVATE or GONOSUMDB.",
    },
    "zh-CN": {
      title: ({ value }) => `GOSUMDB 的值无效：${or(value, "格式错误")}`,
      why: "值应为已知名称或 name+hash+key，其后最多一个 URL。没有 +insecure，没有 direct，也不能只写 URL。",
      advice: "取消设置：默认值对几乎所有人都合适。私有模块写在 GOPRIVATE 或 GONOSUMDB 中。",
    },
  }),
  GO_SUM_MISSING: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `go.sum has no entry${tail(" for ", what)}: no network problem`,
      why: "Builds do not change go.sum by themselves since Go 1.16.",
      advice: "Run go mod tidy, or go get of the package, and commit go.mod and go.sum together.",
    },
    "zh-CN": {
      title: ({ what }) => `go.sum 中缺少${tail(" ", what, " 的")}条目：与网络无关`,
      why: "自 Go 1.16 起，构建不会自动修改 go.sum。",
      advice: "运行 go mod tidy 或 go get 该包，并把 go.mod 和 go.sum 一起提交。",
    },
  }),
  GO_SUM_MALFORMED: kind<Said>("fail", page, {
    en: {
      title: ({ what }) => `go.sum is damaged${tail(" at ", what)}`,
      why: "A line has not three fields: often the marks of a merge conflict.",
      advice: "Remove the marks, keep the lines of both sides, then run go mod tidy.",
    },
    "zh-CN": {
      title: ({ what }) => `go.sum 已损坏${tail("：", what)}`,
      why: "有的行不是三个字段：常见于未解决的合并冲突标记。",
      advice: "去掉冲突标记，保留双方的行，再运行 go mod tidy。",
    },
  }),
} as const satisfies Area;
