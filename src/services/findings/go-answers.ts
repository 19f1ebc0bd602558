// What go says about answers of a module proxy: statuses, and 200s that are no good.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or, tail } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#proxies";

export const goAnswerFindings = {
  GO_ERR_NOT_FOUND: kind<Said>("fail", page, {
    en: {
      title: ({ what, host }) => `${or(host, "the proxy")} does not have ${or(what, "it")} (404 or 410)`,
      why: "Every entry that was asked said no. A proxy remembers a 404 for a while: a version that was just tagged may be there in half an hour.",
      advice: "Check the path and the version. A private module needs GOPRIVATE, or a proxy that has it.",
    },
    "zh-CN": {
      title: ({ what, host }) => `${or(host, "代理")} 上没有 ${or(what, "该模块")}（404 或 410）`,
      why: "询问过的各项都说没有。代理会缓存 404 一段时间：刚打的标签可能半小时后才出现。",
      advice: "检查路径和版本。私有模块需要设置 GOPRIVATE，或使用拥有它的代理。",
    },
  }),
  GO_ERR_UNAUTHORIZED: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the proxy")} wants credentials (401)`,
      why: "go sends what the netrc file, GOAUTH or the URL says, over https only. Since Go 1.24 a netrc machine on another port than 443 must be written with its port.",
      advice: "Look at ~/.netrc: machine, login, password; have one line with the port and one without.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "代理")} 要求凭据（401）`,
      why: "go 只在 https 上发送 netrc、GOAUTH 或 URL 中的凭据。自 Go 1.24 起，非 443 端口在 netrc 的 machine 中必须带端口。",
      advice: "检查 ~/.netrc 的 machine、login、password；带端口和不带端口各写一行。",
    },
  }),
  GO_ERR_FORBIDDEN: kind<Said>("fail", page, {
    en: {
      title: ({ what, host, value }) =>
        `${or(host, "the proxy")} refuses ${or(what, "the request")} (${or(value, "403")})`,
      why: "A rule of the proxy, or of the storage it redirects to. After a comma go stops here.",
      advice:
        "Read the server's own lines below the error. For a private module set GOPRIVATE; else ask who runs the proxy.",
    },
    "zh-CN": {
      title: ({ what, host, value }) => `${or(host, "代理")} 拒绝提供 ${or(what, "该内容")}（${or(value, "403")}）`,
      why: "由代理或其重定向到的存储的规则拒绝。逗号之后 go 就此停止。",
      advice: "查看错误下方服务器的说明。私有模块请设置 GOPRIVATE；否则联系代理的运营者。",
    },
  }),
  GO_ERR_TOO_MANY: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the proxy")} has had too many requests from here (429): throttled`,
      why: "The limit counts addresses, and many people may share yours. go ignores Retry-After and does not wait.",
      advice: "Wait some minutes, or put a mirror or a cache of your own first in GOPROXY.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "代理")} 限制了来自这里的请求（429）`,
      why: "限制按地址计算，而同一出口可能有很多人。go 忽略 Retry-After，也不会等待。",
      advice: "等几分钟，或把镜像或自建缓存放在 GOPROXY 的第一位。",
    },
  }),
  GO_ERR_GATEWAY: kind<Said>("fail", page, {
    en: {
      title: ({ host, value }) => `${or(host, "the proxy")} could not get it itself: ${or(value, "502, 503 or 504")}`,
      why: "The proxy is there, what lies behind it is not, or too slow. After a comma go does not ask the next entry, and it does not try again.",
      advice: "Try again; with a | after this proxy go would have asked the next one.",
    },
    "zh-CN": {
      title: ({ host, value }) => `${or(host, "代理")} 自身未能取得内容：${or(value, "502、503 或 504")}`,
      why: "代理在，但其后端不可用或太慢。逗号之后 go 不问下一项，也不重试。",
      advice: "重试；若此代理后面是 |，go 会改问下一项。",
    },
  }),
  GO_ERR_SERVER_ERROR: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the proxy")} failed inside (500)`,
      why: "Some proxies answer 500 for whatever they cannot do, a missing repository too. After a comma go stops.",
      advice: "Read the server's own lines, then ask another proxy for the same module.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "代理")} 内部出错（500）`,
      why: "有的代理把做不到的事都答成 500，包括仓库不存在。逗号之后 go 就此停止。",
      advice: "先看服务器的说明，再向另一个代理请求同一模块。",
    },
  }),
  GO_ERR_STATUS: kind<Said>("fail", page, {
    en: {
      title: ({ host, value }) =>
        `${or(host, "the proxy")} answered ${or(value, "a status")}, which go takes for an error`,
      why: "Only 200 is an answer, and only 404 and 410 lead to the next entry after a comma. 204, 206, 304, 406 and 418 come from something that is no module proxy.",
      advice: "Check the URL: a moved mirror, a filter of user agents, or a web site.",
    },
    "zh-CN": {
      title: ({ host, value }) => `${or(host, "代理")} 返回 ${or(value, "某状态")}，go 视为错误`,
      why: "只有 200 是有效回答，逗号之后也只有 404 和 410 才问下一项。204、206、304、406、418 来自并非模块代理的服务。",
      advice: "检查 URL：镜像已迁移、按 User-Agent 过滤，或只是普通网站。",
    },
  }),
  GO_ERR_HTML: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} sent a web page in place of module data`,
      why: "A captive portal, a sign-in page or a block page answered with 200. go reports it as a JSON error.",
      advice: "Open any http address in a browser and sign in to the network; then try again.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 返回的是网页，不是模块数据`,
      why: "强制登录页、登录页或拦截页以 200 作答。go 把它报告为 JSON 错误。",
      advice: "用浏览器打开任意 http 地址并登录网络，然后重试。",
    },
  }),
  GO_ERR_BAD_JSON: kind<Said>("fail", page, {
    en: {
      title: ({ host, what }) => `${or(host, "the proxy")} answered 200 with a broken .info${tail(" of ", what)}`,
      why: "An empty or cut-off answer is no JSON. It is no 404 either, so that go stops after a comma.",
      advice: "Ask for the .info again; if it stays broken, tell the mirror's operator and use another one.",
    },
    "zh-CN": {
      title: ({ host, what }) => `${or(host, "代理")} 以 200 返回了损坏的 .info${tail("（", what, "）")}`,
      why: "空的或不完整的内容不是 JSON，也不是 404，所以逗号之后 go 就此停止。",
      advice: "再请求一次 .info；若仍损坏，告知镜像运营者并换用其他镜像。",
    },
  }),
  GO_ERR_OTHER_VERSION: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) =>
        `the proxy answers for ${or(value, "another version")} when asked for ${or(what, "this one")}`,
      why: "A .info must name the version that was asked for. A proxy that mixes versions up is broken.",
      advice: "Use another proxy, and tell the operator.",
    },
    "zh-CN": {
      title: ({ what, value }) => `请求 ${or(what, "该版本")}，代理却回答 ${or(value, "另一版本")}`,
      why: ".info 必须写明所请求的版本。混淆版本的代理是坏的。",
      advice: "换用其他代理，并告知运营者。",
    },
  }),
  GO_ERR_BAD_ZIP: kind<Said>("fail", page, {
    en: {
      title: ({ what, value }) => `the zip of ${or(what, "a module")} is no module zip: ${or(value, "broken")}`,
      why: "Go's rules for module zips are the same everywhere; a zip that breaks them was damaged or made by something else than go.",
      advice: "Fetch it from another proxy; if it is yours, publish a new version with a new zip.",
    },
    "zh-CN": {
      title: ({ what, value }) => `${or(what, "某模块")} 的 zip 不合规则：${or(value, "已损坏")}`,
      why: "模块 zip 的规则处处相同；不合规则的 zip 或已损坏，或不是由 go 生成。",
      advice: "从其他代理获取；若是自己的模块，请用新的 zip 发布新版本。",
    },
  }),
  GO_ERR_REDIRECT: kind<Said>("fail", page, {
    en: {
      title: ({ host, value }) => `${or(host, "the server")} redirects in a way that go refuses: ${value}`,
      why: "go follows nine redirects, and none from https to http.",
      advice: "Name the last address of the chain in GOPROXY, or have the server mended.",
    },
    "zh-CN": {
      title: ({ host, value }) => `go 拒绝 ${or(host, "服务器")} 的重定向：${value}`,
      why: "go 最多跟随 9 次重定向，且不接受从 https 到 http。",
      advice: "在 GOPROXY 中直接写最终地址，或修复服务器。",
    },
  }),
  GO_ERR_PLAIN_CREDENTIALS: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `go sends no password over http${tail(" to ", host)}`,
      why: "Credentials go over https alone; with http in the URL go refuses at once.",
      advice: "Use https, or take user and password out of the URL.",
    },
    "zh-CN": {
      title: ({ host }) => `go 不会通过 http 发送密码${tail("（", host, "）")}`,
      why: "凭据只通过 https 发送；URL 是 http 时 go 直接拒绝。",
      advice: "改用 https，或从 URL 中去掉用户名和密码。",
    },
  }),
  GO_GRANARY_ANSWER: kind<Said>("fail", page, {
    en: {
      title: ({ value, what }) => `Granary answered ${value}${tail(" for ", what)}`,
      why: "The code names the cause, which lies at the server or behind it, not on this machine.",
      advice: "granary explain CODE says why it happens and what to do; with the request id it says what happened.",
    },
    "zh-CN": {
      title: ({ value, what }) => `Granary 返回 ${value}${tail("（", what, "）")}`,
      why: "错误码指明原因；原因在服务器或其上游，不在本机。",
      advice: "granary explain CODE 说明原因和处理办法；带请求编号时还会说明当时的情况。",
    },
  }),
} as const satisfies Area;
