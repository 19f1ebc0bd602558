// What can be wrong with a GOPROXY list: CHAIN_…

import type { None } from "#services/errors/messages.ts";
import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

const page = "env.md#goproxy";

type Entry = { readonly entry: string };

export const chainFindings = {
  CHAIN_EMPTY: kind<{ value: string }>("fail", page, {
    en: {
      title: ({ value }) => `GOPROXY has no entries: "${value}"`,
      why: "A list of separators and blanks only is not the empty value: go stops before it asks anybody.",
    },
    "zh-CN": {
      title: ({ value }) => `GOPROXY 中没有任何条目：“${value}”`,
      why: "只有分隔符和空格的值不等于空值：go 不发任何请求就报错。",
    },
  }),
  CHAIN_REFUSED: kind<{ sentence: string }>("fail", page, {
    en: {
      title: ({ sentence }) => `go refuses the GOPROXY list: ${sentence}`,
      why: "One entry that go cannot read fails the whole list, even if an earlier one would have answered.",
      advice: "Write https://HOST, several with commas or pipes, perhaps direct at the end.",
    },
    "zh-CN": {
      title: ({ sentence }) => `go 拒绝此 GOPROXY：${sentence}`,
      why: "只要有一个条目无法解析，整个列表就失败，即使前面的代理可用。",
      advice: "写成 https://主机，多个之间用逗号或竖线，末尾可加 direct。",
    },
  }),
  CHAIN_KEYWORD_CASE: kind<{ word: string; meant: string }>("fail", page, {
    en: {
      title: ({ word, meant }) => `"${word}" is no keyword: write ${meant}`,
      why: "direct and off are lower case only; any other word alone is an invalid URL, and go stops.",
    },
    "zh-CN": {
      title: ({ word, meant }) => `“${word}” 不是关键字：应写 ${meant}`,
      why: "direct 和 off 只能小写；其他单词会被当作无效的 URL，go 直接报错。",
    },
  }),
  CHAIN_JOINED: kind<Entry & { mark: string }>("fail", page, {
    en: {
      title: ({ entry, mark }) => `${mark} does not separate entries: "${entry}" is one URL`,
      why: "Only an ASCII comma and | separate. go takes everything else as part of the URL, and asks that.",
    },
    "zh-CN": {
      title: ({ entry, mark }) => `${mark} 不是分隔符：“${entry}” 被当作一个 URL`,
      why: "只有半角逗号和 | 是分隔符，其他字符都算 URL 的一部分，go 会照此请求。",
    },
  }),
  CHAIN_QUOTES: kind<Entry>("fail", page, {
    en: {
      title: ({ entry }) => `the quotes are part of the value: ${entry}`,
      why: "A go env file and most places outside a shell have no quotes: they become part of the URL.",
    },
    "zh-CN": {
      title: ({ entry }) => `引号成了值的一部分：${entry}`,
      why: "go env 文件以及 shell 以外的多数地方没有引号语法，引号会进入 URL。",
    },
  }),
  CHAIN_BLANKS: kind<{ value: string }>("info", page, {
    en: {
      title: ({ value }) => `blanks around entries: "${value}"`,
      why: "go trims each entry of GOPROXY, so it works here; in GOPRIVATE and its kin the same blank breaks the pattern.",
    },
    "zh-CN": {
      title: ({ value }) => `条目两侧有空格：“${value}”`,
      why: "go 会去掉 GOPROXY 各条目两侧的空格，因此可用；但在 GOPRIVATE 等变量中，同样的空格会使模式失效。",
    },
  }),
  CHAIN_NO_SCHEME: kind<Entry & { url: string }>("info", page, {
    en: {
      title: ({ entry, url }) => `"${entry}" has no scheme: go asks ${url}`,
      why: "An entry with a dot, a colon or a slash and without a scheme gets https:// in front, never http://.",
      advice: "Write the scheme. A proxy on plain HTTP needs http:// written out.",
    },
    "zh-CN": {
      title: ({ entry, url }) => `“${entry}” 没有协议：go 会请求 ${url}`,
      why: "含点、冒号或斜杠但没有协议的条目会被加上 https://，绝不会是 http://。",
      advice: "请写明协议；纯 HTTP 的代理必须写 http://。",
    },
  }),
  CHAIN_AFTER_END: kind<{ end: string; unread: string }>("warn", page, {
    en: {
      title: ({ end, unread }) => `go reads nothing behind ${end}: ${unread}`,
      why: "direct and off end the list; whatever stands behind them is never asked.",
      advice: "Put the proxies in front.",
    },
    "zh-CN": {
      title: ({ end, unread }) => `${end} 之后的内容不会被读取：${unread}`,
      why: "direct 和 off 结束整个列表，其后的条目永远不会被请求。",
      advice: "请把代理放到前面。",
    },
  }),
  CHAIN_NO_DIRECT: kind<None>("info", page, {
    en: {
      title: () => "GOPROXY does not end with direct or off",
      why: "What no proxy of the list has is an error. That is right where all modules come through a proxy, and a surprise elsewhere.",
    },
    "zh-CN": {
      title: () => "GOPROXY 末尾没有 direct 或 off",
      why: "列表中的代理都没有的模块会直接报错。所有模块都应经过代理时这是对的，否则可能出乎意料。",
    },
  }),
  CHAIN_ONLY_DIRECT: kind<None>("warn", page, {
    en: {
      title: () => "GOPROXY=direct: every module comes from its own repository",
      why: "Each host must be reachable, deleted repositories break builds, and no proxy keeps a record. The checksum database is still asked.",
    },
    "zh-CN": {
      title: () => "GOPROXY=direct：所有模块都直接取自各自的仓库",
      why: "每个主机都必须可达，仓库一删构建就失败，也没有代理留下记录。校验和数据库仍会被访问。",
    },
  }),
  CHAIN_OFF: kind<None>("info", page, {
    en: {
      title: () => "GOPROXY=off: nothing is downloaded",
      why: "off forbids the network; it does not mean version control. Modules that a GONOPROXY pattern covers are fetched directly all the same.",
    },
    "zh-CN": {
      title: () => "GOPROXY=off：不下载任何内容",
      why: "off 表示禁止网络访问，不是“改用版本控制”。匹配 GONOPROXY 的模块仍会直接获取。",
    },
  }),
  CHAIN_CREDENTIALS: kind<Entry>("warn", page, {
    en: {
      title: ({ entry }) => `credentials stand in GOPROXY: ${entry}`,
      why: "go env, logs of CI jobs and every child process show the value of GOPROXY.",
      advice: "Move them to a netrc file (machine HOST login USER password TOKEN) or a GOAUTH command.",
    },
    "zh-CN": {
      title: ({ entry }) => `GOPROXY 中含有凭据：${entry}`,
      why: "go env、CI 日志和所有子进程都能看到 GOPROXY 的值。",
      advice: "请移到 netrc 文件（machine 主机 login 用户 password 令牌）或 GOAUTH 命令。",
    },
  }),
  CHAIN_CREDENTIALS_HTTP: kind<Entry>("fail", page, {
    en: {
      title: ({ entry }) => `go never sends credentials over http: ${entry}`,
      why: "It stops with: refusing to pass credentials to insecure URL. The same holds for netrc and GOAUTH.",
      advice: "Give the proxy a certificate and use https://, or take the credentials out.",
    },
    "zh-CN": {
      title: ({ entry }) => `go 不会通过 http 发送凭据：${entry}`,
      why: "它会报错 refusing to pass credentials to insecure URL；netrc 和 GOAUTH 也是如此。",
      advice: "请为代理配置证书并使用 https://，或去掉凭据。",
    },
  }),
  CHAIN_PLAIN_HTTP: kind<Entry>("info", page, {
    en: {
      title: ({ entry }) => `plain http: ${entry}`,
      why: "Anybody on the way sees which modules are asked and can change answers; public modules are still held against the checksum database, private ones are not.",
    },
    "zh-CN": {
      title: ({ entry }) => `明文 http：${entry}`,
      why: "途中任何人都能看到请求了哪些模块，并可篡改回答；公开模块仍由校验和数据库校验，私有模块则没有。",
    },
  }),
  CHAIN_COMMA_STOPS: kind<Entry & { next: string }>("info", page, {
    en: {
      title: ({ entry, next }) => `while ${entry} fails, ${next} is not asked`,
      why: "After a comma go goes on only after 404 and 410. A 5xx, a 403, a refused or broken connection ends the search.",
      advice: "Where the next entry should stand in for a failing one, write | between them.",
    },
    "zh-CN": {
      title: ({ entry, next }) => `${entry} 出故障时，不会请求 ${next}`,
      why: "逗号之后只有 404 和 410 才会继续；5xx、403、连接被拒绝或中断都会结束查找。",
      advice: "若希望后一个条目顶替出故障的前一个，请在两者之间写 |。",
    },
  }),
  CHAIN_PIPE_PASSES_REFUSAL: kind<Entry & { next: string }>("warn", page, {
    en: {
      title: ({ entry, next }) => `what ${entry} refuses is asked of ${next}`,
      why: "After a pipe any failure leads to the next entry, a refusal (403) too: a proxy that enforces rules is passed by, and hears of names it should keep.",
      advice: "Write a comma behind a proxy whose refusals are meant.",
    },
    "zh-CN": {
      title: ({ entry, next }) => `${entry} 拒绝的内容会再向 ${next} 请求`,
      why: "竖线之后任何失败都会继续，包括 403 拒绝：执行策略的代理会被绕过，本该保密的名称也会外泄。",
      advice: "若代理的拒绝应当生效，请在其后写逗号。",
    },
  }),
  CHAIN_TOO_NEW: kind<{ form: string; since: string; version: string }>("fail", page, {
    en: {
      title: ({ form, since, version }) => `${form} in GOPROXY is not known to Go ${version} (since ${since})`,
      why: "Lists with commas came with Go 1.13, the pipe with 1.15; before that they are read as part of a URL.",
    },
    "zh-CN": {
      title: ({ form, since, version }) => `Go ${version} 不认识 GOPROXY 中的 ${form}（自 ${since} 起支持）`,
      why: "逗号列表自 Go 1.13、竖线自 1.15 起支持；更早的版本把它们当作 URL 的一部分。",
    },
  }),
  CHAIN_QUERY: kind<Entry>("warn", page, {
    en: {
      title: ({ entry }) => `a query string goes along with every request: ${entry}`,
      why: "go appends the query of a GOPROXY entry to the URL of every file it asks for.",
    },
    "zh-CN": {
      title: ({ entry }) => `每个请求都会带上查询参数：${entry}`,
      why: "go 会把 GOPROXY 条目的查询参数附加到每个文件的 URL 上。",
    },
  }),
  CHAIN_WORST_WAIT: kind<{ hops: number; dial: string; tls: string }>("info", page, {
    en: {
      title: ({ hops, dial, tls }) =>
        `a list that fails costs up to ${dial} to connect, ${tls} for TLS (${hops === 1 ? "1 proxy" : `${hops} proxies`}); a silent one, for ever`,
      why: "go has no timeout for an answer: 30 s to connect, 10 s for the TLS handshake, then it waits until somebody ends it. Every file of every module pays anew.",
      advice: "A silent proxy is not passed by, whatever the separator: put it last or take it out.",
    },
    "zh-CN": {
      title: ({ hops, dial, tls }) =>
        `列表失败前最长等待：连接 ${dial}，TLS ${tls}（${hops} 个代理）；连上不回答则一直等`,
      why: "go 对回答没有超时：连接 30 s，TLS 握手 10 s，之后一直等到被人终止。每个模块的每个文件都要重新等。",
      advice: "不作回答的代理不会被跳过，与分隔符无关：请把它放到最后或去掉。",
    },
  }),
} as const satisfies Area;
