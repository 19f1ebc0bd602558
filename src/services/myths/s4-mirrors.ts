// What article S4 claims, on mirrors in place of the official proxy.

import type { Myths } from "./myth.ts";

export const mirrorMyths = {
  MYTH_OPERATOR_BY_NAME: {
    row: "S4-1",
    said: ["S1", "S2", "S4"],
    verdict: "unverifiable",
    about: ["mirrors"],
    unshown: "operator",
    en: {
      claim: "goproxy.cn is Alibaba's; goproxy.huaweicloud.com and goproxy.qiniu.com are mirrors.",
      truth:
        "The articles contradict each other (Qiniu, Alibaba). A host name proves neither an operator nor a service.",
      probe: "Look at its certificate and its own pages, and ask it for a version as go would.",
    },
    "zh-CN": {
      claim: "goproxy.cn 是阿里的；goproxy.huaweicloud.com、goproxy.qiniu.com 也是镜像。",
      truth: "几篇文章互相矛盾（七牛、阿里）。主机名既不能证明运营者，也不能证明服务存在。",
      probe: "查看它的证书和官方页面，并像 go 那样请求一个版本。",
    },
  },
  MYTH_UNSET_IS_DIRECT: {
    row: "S4-2",
    said: ["S4"],
    verdict: "false",
    about: ["GOPROXY", "direct"],
    shown: ["unset"],
    en: {
      claim: "Without GOPROXY go connects directly.",
      truth: "Unset, or set to nothing, it is go's own list: the official proxy, then direct.",
    },
    "zh-CN": {
      claim: "没有设置 GOPROXY 就直连。",
      truth: "未设置或为空时使用 go 的默认列表：先官方代理，再 direct。",
    },
  },
  MYTH_FLOW_WITHOUT_MOD: {
    row: "S4-3",
    said: ["S4"],
    verdict: "partly",
    about: ["requests", "go.sum"],
    shown: ["order", "sumdbRequests"],
    en: {
      claim: "go asks for .info, then the zip, then a checksum file.",
      truth:
        ".mod and list are missing there, and no proxy has a checksum file: hashes come from go.sum or the checksum database.",
    },
    "zh-CN": {
      claim: "流程是 .info → zip → 校验文件。",
      truth: "漏了 .mod 和 list；代理上也没有校验文件，哈希来自 go.sum 或校验和数据库。",
    },
  },
  MYTH_SUMDB_SWITCHES: {
    row: "S4-4",
    said: ["S4"],
    verdict: "false",
    about: ["GOSUMDB", "sumdb", "fallback"],
    shown: ["sumdbFails"],
    en: {
      claim: "GOSUMDB=sum.golang.org switches to another trusted source by itself.",
      truth:
        "A proxy may pass the same database on. go chooses the way once, by /supported, and stays with it; when it fails there, that is an error.",
    },
    "zh-CN": {
      claim: "GOSUMDB=sum.golang.org 会自动切换到可信校验源。",
      truth: "代理可以转发同一个数据库。go 通过 /supported 选定一次就不再更换，之后失败即报错。",
    },
  },
  MYTH_DOCKER_MIRROR: {
    row: "S4-5",
    said: ["S4"],
    verdict: "false",
    about: ["mirrors", "ci"],
    unshown: "software",
    en: {
      claim: "Docker's --registry-mirror and DOCKER_OPTS are GOPROXY at work.",
      truth: "They are about images, by another protocol. In a Dockerfile it is ENV GOPROXY=… or a build argument.",
    },
    "zh-CN": {
      claim: "Docker 的 --registry-mirror、DOCKER_OPTS 是 GOPROXY 的用法。",
      truth: "那是镜像仓库的设置，协议不同。Dockerfile 里应写 ENV GOPROXY=… 或用构建参数。",
    },
  },
  MYTH_HEALTHZ: {
    row: "S4-6",
    said: ["S4"],
    verdict: "false",
    about: ["requests", "mirrors"],
    shown: ["plainRequests"],
    en: {
      claim: "GET /healthz tells whether a public proxy is well.",
      truth: "The protocol has no such path; a proxy that is well may answer 404. Ask for a list and a small .info.",
    },
    "zh-CN": {
      claim: "用 GET /healthz 检查公共代理是否健康。",
      truth: "协议里没有这个路径，正常的代理也可能返回 404。请改为请求 list 和一个 .info。",
    },
  },
  MYTH_DIRECT_ENDS_THE_LIST: {
    row: "S4-7",
    said: ["S4"],
    verdict: "true",
    about: ["GOPROXY", "direct"],
    shown: ["afterDirect"],
    en: {
      claim: "direct ends the list.",
      truth: "So it does: what stands after it is never asked.",
    },
    "zh-CN": {
      claim: "direct 会终止代理列表。",
      truth: "确实如此：它后面的条目永远不会被请求。",
    },
  },
  MYTH_PING_A_MIRROR: {
    row: "S4-8",
    said: ["S4"],
    verdict: "false",
    about: ["mirrors", "requests"],
    shown: ["plainRequests", "sumdbRequests"],
    en: {
      claim: "ping, and a download of Ubuntu's ls-lR.gz, tell how good a Go mirror is.",
      truth:
        "They measure another service. Ask what go asks: list, .info, .mod, .zip, and /sumdb/sum.golang.org/supported.",
    },
    "zh-CN": {
      claim: "用 ping 和下载 Ubuntu 的 ls-lR.gz 测试 Go 镜像。",
      truth:
        "测的是另一个服务。应请求 go 会请求的内容：list、.info、.mod、.zip，以及 /sumdb/sum.golang.org/supported。",
    },
  },
  MYTH_DELETE_DEP_FILES: {
    row: "S4-9",
    said: ["S4"],
    verdict: "partly",
    about: ["tools"],
    shown: ["depFiles"],
    en: {
      claim: "Files of dep and glide have to be deleted before modules work; go mod tidy cleans up.",
      truth: "They are ignored: delete them at leisure. go mod tidy changes go.mod and go.sum, and no other file.",
    },
    "zh-CN": {
      claim: "迁移前必须删除 dep、glide 文件；go mod tidy 会清除。",
      truth: "go 会忽略它们，随时可删。go mod tidy 只改 go.mod 和 go.sum。",
    },
  },
  MYTH_GRAPH_SHOWS_DEPRECATED: {
    row: "S4-10",
    said: ["S4"],
    verdict: "false",
    about: ["versions", "tools"],
    shown: ["graph"],
    en: {
      claim: "go mod graph | grep deprecated finds deprecated modules.",
      truth: "It prints pairs of modules and nothing else. go list -m -u -json all has Deprecated and Retracted.",
    },
    "zh-CN": {
      claim: "go mod graph | grep deprecated 可以找出弃用的模块。",
      truth: "它只打印成对的模块。要用 go list -m -u -json all，里面有 Deprecated 和 Retracted。",
    },
  },
  MYTH_LIST_SHOWS_DRIFT: {
    row: "S4-11",
    said: ["S4"],
    verdict: "true",
    about: ["versions", "ci"],
    shown: ["graph"],
    en: {
      claim: "Comparing go list -m all finds versions that drifted.",
      truth: "So it does: it prints the build list, one module and version a line.",
    },
    "zh-CN": {
      claim: "比较 go list -m all 的输出可以发现版本漂移。",
      truth: "确实如此：它逐行打印构建列表中的模块和版本。",
    },
  },
  MYTH_NO_V0: {
    row: "S4-12",
    said: ["S4"],
    verdict: "partly",
    about: ["versions"],
    shown: ["young"],
    en: {
      claim: "v0.x is unreleased and must be forbidden.",
      truth:
        "v0 makes no promise of compatibility, but it is a release to go like any other; golang.org/x is v0 too. Forbidding it is a policy of your own.",
    },
    "zh-CN": {
      claim: "v0.x 是未发布版本，应当禁止。",
      truth: "v0 不承诺兼容，但对 go 来说就是正式版本；golang.org/x 也是 v0。禁止它是你们自己的策略。",
    },
  },
  MYTH_MAJOR_WITHOUT_SUFFIX: {
    row: "S4-13",
    said: ["S4"],
    verdict: "false",
    about: ["versions"],
    shown: ["young"],
    en: {
      claim: "A module without /v3 in its path can be required at v3.0.0.",
      truth: "From v2 on the path ends in the major version (/v3), else the version is not one of that module.",
    },
    "zh-CN": {
      claim: "路径里没有 /v3 的模块也可以依赖 v3.0.0。",
      truth: "从 v2 起路径必须以主版本后缀结尾（/v3），否则该版本不属于这个模块。",
    },
  },
} as const satisfies Myths;
