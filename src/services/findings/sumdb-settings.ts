// What can be wrong with the settings of checksum verification: SUMDB_…

import type { None } from "#services/errors/messages.ts";
import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

const page = "env.md#checksum-database";

export const sumdbFindings = {
  SUMDB_OFF: kind<None>("warn", page, {
    en: {
      title: () => "GOSUMDB is off: new versions are taken as they come",
      why: "Only what go.sum has already is compared; a proxy, or somebody on the way, decides what a new version is. Toolchains are not downloaded at all.",
      advice:
        "Leave the database on. For private modules set GOPRIVATE or GONOSUMDB; where it cannot be reached, a proxy that relays it is enough.",
    },
    "zh-CN": {
      title: () => "GOSUMDB 为 off：新版本照收不误",
      why: "只比对 go.sum 中已有的内容；新版本是什么由代理或途中的人决定。工具链则完全无法下载。",
      advice: "请保持数据库开启。私有模块用 GOPRIVATE 或 GONOSUMDB；数据库不可达时，用能转发它的代理即可。",
    },
  }),
  SUMDB_SKIPS_ALL: kind<{ name: string; value: string }>("warn", page, {
    en: {
      title: ({ name, value }) => `${name}=${value}: no module is verified`,
      why: "The pattern matches every module path, which has the same effect as switching the database off.",
      advice: "Name the private hosts alone: *.corp.example,github.com/org.",
    },
    "zh-CN": {
      title: ({ name, value }) => `${name}=${value}：所有模块都不校验`,
      why: "该模式匹配所有模块路径，效果等同于关闭数据库。",
      advice: "只写私有主机，例如 *.corp.example,github.com/org。",
    },
  }),
  SUMDB_REFUSED: kind<{ value: string; sentence: string }>("fail", page, {
    en: {
      title: ({ value, sentence }) => `GOSUMDB=${value}: ${sentence}`,
      why: "The first word must be sum.golang.org or a whole verifier key NAME+HASH+KEY, the second, if any, the database's URL. direct, a URL, host:port and +insecure are none of these.",
    },
    "zh-CN": {
      title: ({ value, sentence }) => `GOSUMDB=${value}：${sentence}`,
      why: "第一个词必须是 sum.golang.org 或完整的验证公钥 NAME+HASH+KEY，第二个词（可选）是数据库的 URL。direct、URL、host:port、+insecure 都不是。",
    },
  }),
  SUMDB_PAST_PROXIES: kind<{ value: string; url: string }>("info", page, {
    en: {
      title: ({ url }) => `the checksum database is asked at ${url}, past all proxies`,
      why: "A GOSUMDB with a URL, and sum.golang.google.cn, never use the database that a proxy relays: the address itself must be reachable.",
    },
    "zh-CN": {
      title: ({ url }) => `校验和数据库直接访问 ${url}，不经过任何代理`,
      why: "带 URL 的 GOSUMDB 以及 sum.golang.google.cn 不使用代理转发的数据库：该地址本身必须可达。",
    },
  }),
  SUMDB_PRIVATE_ASKED: kind<{ module: string; database: string }>("fail", page, {
    en: {
      title: ({ module, database }) => `${module} is asked of ${database}: its name leaks, and there is no record`,
      why: "GONOPROXY decides the way, GONOSUMDB the verification; GOPRIVATE is the default of both. A private module needs the second one too.",
    },
    "zh-CN": {
      title: ({ module, database }) => `会向 ${database} 查询 ${module}：名称外泄，且查不到记录`,
      why: "GONOPROXY 决定路径，GONOSUMDB 决定是否校验，两者默认取 GOPRIVATE。私有模块也需要后者。",
    },
  }),
  SUMDB_TOOLCHAIN: kind<None>("warn", page, {
    en: {
      title: () => "no newer toolchain can be downloaded: GOSUMDB is off",
      why: "Toolchains must be verified whatever the settings say; while GOSUMDB is off the download ends with: checksum database disabled.",
      advice: "Leave the database on, or set GOTOOLCHAIN=local and install the release that go.mod asks for.",
    },
    "zh-CN": {
      title: () => "无法下载更新的工具链：GOSUMDB 为 off",
      why: "无论如何设置，工具链都必须校验；GOSUMDB 为 off 时，下载会以 checksum database disabled 结束。",
      advice: "请保持数据库开启，或设 GOTOOLCHAIN=local 并自行安装 go.mod 要求的版本。",
    },
  }),
} as const satisfies Area;
