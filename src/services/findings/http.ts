// Requests as go makes them, seen: single answers (HTTP_…) and what they do to a GOPROXY list (CHAIN_SEEN_…).

import { duration } from "#services/errors/sentences.ts";
import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

/** A request of go's and what came of it. */
type Seen = { readonly step: string; readonly host: string; readonly said: string };
type Hop = Seen & { readonly hop: number };

export const httpFindings = {
  HTTP_UA_FILTER: kind<{ readonly host: string; readonly said: string }>("fail", "simulate.md#user-agent-filters", {
    en: {
      title: ({ host, said }) => `${host} turns the go command away by its name (${said}), and lets others in`,
      why: "The same request got 200 with another User-Agent. A filter in between or at the server looks at the client's name, and go has no setting for it.",
      advice: "Have Go-http-client/ and GoCommand/ allowed there, or use another proxy.",
    },
    "zh-CN": {
      title: ({ host, said }) => `${host} 按名称拒绝 go 命令（${said}），却放行其他客户端`,
      why: "换一个 User-Agent，同样的请求得到 200。中间设备或服务器按客户端名称过滤，而 go 没有修改名称的设置。",
      advice: "请对方放行 Go-http-client/ 与 GoCommand/，或改用其他代理。",
    },
  }),
  HTTP_PROXY_AUTH: kind<{ readonly via: string }>("fail", "simulate.md#egress-proxies", {
    en: {
      title: ({ via }) => `The egress proxy ${via} wants credentials (407)`,
      why: "go sends none but those in the URL of HTTPS_PROXY or HTTP_PROXY, as Basic; it knows neither NTLM nor Kerberos.",
      advice: "Write user and password into HTTPS_PROXY, or put a local relay that can log in (cntlm, px) in between.",
    },
    "zh-CN": {
      title: ({ via }) => `出口代理 ${via} 要求认证（407）`,
      why: "go 只会用 HTTPS_PROXY 或 HTTP_PROXY 的 URL 里的用户名和口令做 Basic 认证，不支持 NTLM 和 Kerberos。",
      advice: "把用户名和口令写进 HTTPS_PROXY，或在本机运行能登录的中继（cntlm、px）。",
    },
  }),
  HTTP_PROXY_REFUSED: kind<{ readonly via: string; readonly host: string; readonly said: string }>(
    "fail",
    "simulate.md#egress-proxies",
    {
      en: {
        title: ({ via, host, said }) => `The egress proxy ${via} opens no way to ${host} (${said})`,
        why: "HTTPS goes through an egress proxy by CONNECT; this one refused it for this host, or is not one.",
        advice: "Have the host allowed there, or name it in NO_PROXY if it can be reached directly.",
      },
      "zh-CN": {
        title: ({ via, host, said }) => `出口代理 ${via} 不给通往 ${host} 的路（${said}）`,
        why: "HTTPS 经出口代理时用 CONNECT；该代理对这个主机拒绝了它，或者它根本不是代理。",
        advice: "请对方放行该主机；如果能直连，把它写进 NO_PROXY。",
      },
    },
  ),
  HTTP_CAPTIVE_PORTAL: kind<Seen>("fail", "simulate.md#captive-portals", {
    en: {
      title: ({ step, host }) => `${host} answers ${step} with a web page instead of the file`,
      why: "A 200 with HTML comes from a log-in page, a block page, or a server that is no module proxy. go takes it for the file: a list of it is silently empty.",
      advice: "Open the URL in a browser: log in to the network, or correct GOPROXY.",
    },
    "zh-CN": {
      title: ({ step, host }) => `${host} 对 ${step} 返回的是网页，而不是文件`,
      why: "状态 200 却是 HTML，说明是登录页、拦截页，或者对方不是模块代理。go 会把它当成文件：list 会悄悄变成空列表。",
      advice: "用浏览器打开该 URL：登录网络，或改正 GOPROXY。",
    },
  }),
  HTTP_EMPTY_LIST: kind<{ readonly host: string; readonly known: string }>("warn", "simulate.md#empty-lists", {
    en: {
      title: ({ host, known }) =>
        known === ""
          ? `${host} has an empty list of versions`
          : `${host} has an empty list of versions, but ${known} exists`,
      why: "An empty list with status 200 means a module without tags. go believes it and asks nobody else after a comma: there is no latest version then.",
      advice:
        "A proxy that does not know a module must answer 404; report it to its operator, or ask another one first.",
    },
    "zh-CN": {
      title: ({ host, known }) =>
        known === "" ? `${host} 的版本列表为空` : `${host} 的版本列表为空，但 ${known} 存在`,
      why: "状态 200 的空列表表示模块没有标签。go 相信它，逗号之后不再问别人：于是没有最新版本。",
      advice: "不认识该模块的代理应回答 404；请告知其运营者，或先问另一个代理。",
    },
  }),
  HTTP_HTML_ERROR: kind<Seen>("info", "simulate.md#error-pages", {
    en: {
      title: ({ step, host, said }) => `${host} explains its ${said} to ${step} in HTML, which go does not show`,
      why: "go prints the text of an error only when it is text/plain, at most 8 lines; you see the status alone.",
    },
    "zh-CN": {
      title: ({ step, host, said }) => `${host} 用 HTML 解释 ${step} 的 ${said}，go 不显示它`,
      why: "只有 text/plain 的错误正文 go 才会打印，最多 8 行；你只看得到状态码。",
    },
  }),
  HTTP_REFUSED: kind<Seen>("fail", "simulate.md#refusals", {
    en: {
      title: ({ step, host, said }) => `${host} refuses ${step} (${said})`,
      why: "Somebody who may say so forbids it, or does not know who you are: a policy, a log-in, a quota.",
      advice: "401: put a line for this host into netrc. 403, 429, 451: ask the operator, or ask another proxy first.",
    },
    "zh-CN": {
      title: ({ step, host, said }) => `${host} 拒绝 ${step}（${said}）`,
      why: "对方禁止访问，或不知道你是谁：策略、登录或配额。",
      advice: "401：在 netrc 中为该主机加一行。403、429、451：询问运营者，或先问另一个代理。",
    },
  }),
  HTTP_SERVER_ERROR: kind<Seen>("fail", "simulate.md#refusals", {
    en: {
      title: ({ step, host, said }) => `${host} fails at ${step} (${said})`,
      why: "The server, or what stands in front of it, is broken or busy. go asks once and never again.",
      advice: "Try again in a minute; if it stays, ask another proxy first, or have a proxy of your own retry.",
    },
    "zh-CN": {
      title: ({ step, host, said }) => `${host} 处理 ${step} 失败（${said}）`,
      why: "服务器或其前面的设备故障或繁忙。go 只请求一次，从不重试。",
      advice: "一分钟后再试；若仍失败，先问另一个代理，或让自己的代理来重试。",
    },
  }),
  HTTP_UNEXPECTED_STATUS: kind<Seen>("fail", "simulate.md#refusals", {
    en: {
      title: ({ step, host, said }) => `${host} answers ${step} with ${said}, which go takes for an error`,
      why: "For go success is 200 and nothing else: 204, 206 and 304 are errors.",
      advice: "Something in between rewrites answers, or it is no module proxy.",
    },
    "zh-CN": {
      title: ({ step, host, said }) => `${host} 对 ${step} 回答 ${said}，go 视为错误`,
      why: "对 go 来说只有 200 是成功：204、206、304 都是错误。",
      advice: "中间有设备改写了回答，或者对方不是模块代理。",
    },
  }),
  HTTP_UNREACHABLE: kind<Seen>("fail", "simulate.md#no-answer", {
    en: {
      title: ({ step, host, said }) => `${host} gives no answer to ${step} (${said})`,
      why: "The name was not found, the connection or the TLS handshake failed, or it ended before the answer did. go does not try again.",
      advice:
        "The evidence names the phase; `granary trace URL` times each of them, directly and through your egress proxy.",
    },
    "zh-CN": {
      title: ({ step, host, said }) => `${host} 没有回答 ${step}（${said}）`,
      why: "域名解析、连接或 TLS 握手失败，或连接在回答完成前断开。go 不会重试。",
      advice: "证据中写明了阶段；`granary trace URL` 会给出各阶段的耗时，直连和经出口代理各一列。",
    },
  }),
  HTTP_HANGS: kind<Seen>("fail", "simulate.md#no-answer", {
    en: {
      title: ({ step, host }) => `${host} takes the request for ${step} and does not answer`,
      why: "go has no time limit for an answer: it waits for ever, and no later entry of GOPROXY is asked.",
      advice: "Put another proxy first: no separator helps against silence.",
    },
    "zh-CN": {
      title: ({ step, host }) => `${host} 收下了 ${step} 的请求却不回答`,
      why: "go 对回答没有时限：会一直等，也不会去问 GOPROXY 的下一项。",
      advice: "把另一个代理放到前面：对沉默的代理，哪种分隔符都没用。",
    },
  }),
  HTTP_TRUNCATED: kind<Seen>("fail", "simulate.md#no-answer", {
    en: {
      title: ({ step, host, said }) => `${host} broke off in the middle of ${step} (${said})`,
      why: "The answer began and did not end. go reports an unexpected EOF and starts no second try.",
      advice: "Something on the way cuts long answers: a proxy's size or time limit, or an unstable line.",
    },
    "zh-CN": {
      title: ({ step, host, said }) => `${host} 传输 ${step} 中途断开（${said}）`,
      why: "回答开始了却没有结束。go 报告 unexpected EOF，不会重来。",
      advice: "途中有设备切断较长的回答：代理的大小或时间限制，或线路不稳。",
    },
  }),
  HTTP_REDIRECT_AWAY: kind<{ readonly host: string; readonly to: string }>("info", "simulate.md#redirects", {
    en: {
      title: ({ host, to }) => `${host} sends go on to ${to}`,
      why: "The second host must be reachable too, and a firewall has to let it pass: go follows every redirect by itself.",
    },
    "zh-CN": {
      title: ({ host, to }) => `${host} 把 go 转到 ${to}`,
      why: "第二个主机也必须可达，防火墙也要放行：每次重定向 go 都自己跟随。",
    },
  }),
  HTTP_REDIRECT_BROKEN: kind<{ readonly host: string; readonly to: string; readonly said: string }>(
    "fail",
    "simulate.md#redirects",
    {
      en: {
        title: ({ host, to, said }) => `${host} redirects to ${to}, which fails (${said})`,
        why: "go names the first URL in its error, but it is the second host that cannot be reached or refuses.",
        advice: "Have the second host allowed as well, or use a proxy that sends files itself.",
      },
      "zh-CN": {
        title: ({ host, to, said }) => `${host} 重定向到 ${to}，后者失败（${said}）`,
        why: "go 的错误里写的是第一个 URL，实际不可达或拒绝的是第二个主机。",
        advice: "把第二个主机也放行，或改用自己发送文件的代理。",
      },
    },
  ),
  HTTP_REDIRECT_INSECURE: kind<{ readonly host: string; readonly to: string }>("fail", "simulate.md#redirects", {
    en: {
      title: ({ host, to }) => `${host} redirects from https to ${to}, which go refuses`,
      why: "go follows no redirect that leaves TLS: `redirected from secure URL … to insecure URL`.",
      advice:
        "The server thinks that it is asked over http: it must build Location from X-Forwarded-Proto, or relatively.",
    },
    "zh-CN": {
      title: ({ host, to }) => `${host} 从 https 重定向到 ${to}，go 拒绝跟随`,
      why: "go 不跟随离开 TLS 的重定向：`redirected from secure URL … to insecure URL`。",
      advice: "服务器以为请求来自 http：应按 X-Forwarded-Proto 生成 Location，或使用相对地址。",
    },
  }),
  HTTP_REDIRECT_LOOP: kind<{ readonly host: string; readonly count: number }>("fail", "simulate.md#redirects", {
    en: {
      title: ({ host, count }) => `${host} redirects more than ${count} times`,
      why: "go gives up at the tenth: `stopped after 10 redirects`.",
      advice: "Two servers send go to each other: look at the Location headers in the evidence.",
    },
    "zh-CN": {
      title: ({ host, count }) => `${host} 重定向超过 ${count} 次`,
      why: "go 在第十次放弃：`stopped after 10 redirects`。",
      advice: "两台服务器互相重定向：看证据里的 Location。",
    },
  }),
  HTTP_REDIRECT_LOST: kind<{ readonly host: string; readonly said: string }>("fail", "simulate.md#redirects", {
    en: {
      title: ({ host, said }) => `${host} redirects (${said}) without a usable Location`,
      why: "Without the header there is nowhere to go on to. Proxies on the way lose it when they rewrite or filter headers.",
      advice: "Ask the same URL without the proxy in between; if Location is there, the proxy loses it.",
    },
    "zh-CN": {
      title: ({ host, said }) => `${host} 重定向（${said}）却没有可用的 Location`,
      why: "没有这个头就无处可去。途中的代理改写或过滤头部时会丢掉它。",
      advice: "绕过中间代理请求同一 URL；如果有 Location，就是代理丢的。",
    },
  }),
  HTTP_PLAIN_CREDENTIALS: kind<{ readonly host: string }>("fail", "simulate.md#refusals", {
    en: {
      title: ({ host }) => `GOPROXY has credentials for ${host} over plain http`,
      why: "go sends nothing then: `refusing to pass credentials to insecure URL`.",
      advice: "Use https, or take user and password out of the URL.",
    },
    "zh-CN": {
      title: ({ host }) => `GOPROXY 通过明文 http 向 ${host} 传递口令`,
      why: "这种情况 go 什么都不发送：`refusing to pass credentials to insecure URL`。",
      advice: "改用 https，或从 URL 中去掉用户名和口令。",
    },
  }),
  HTTP_SLOW_FIRST_BYTE: kind<{ readonly step: string; readonly host: string; readonly ms: number }>(
    "warn",
    "simulate.md#slow-answers",
    {
      en: {
        title: ({ step, host, ms }) => `${host} takes ${duration(ms)} until the first byte of ${step}`,
        why: "The connection stands and the server thinks: it fetches the module itself first, or is overloaded.",
        advice: "Ask once more: if it is quick then, it was a cold cache, and a prewarmed proxy near you helps.",
      },
      "zh-CN": {
        title: ({ step, host, ms }) => `${host} 返回 ${step} 的首字节用了 ${duration(ms)}`,
        why: "连接已建立，服务器还在忙：先去取模块，或过载。",
        advice: "再请求一次：如果快了，就是冷缓存；就近放一个预热过的代理会有帮助。",
      },
    },
  ),
  HTTP_BAD_INFO: kind<{ readonly host: string; readonly reason: string }>("fail", "simulate.md#wrong-content", {
    en: {
      title: ({ host, reason }) => `${host} sends an .info that go cannot use: ${reason}`,
      why: "The answer must be JSON with the version that was asked for and a time; with anything else go stops.",
      advice: "The server is no module proxy, or something in between changes its answers.",
    },
    "zh-CN": {
      title: ({ host, reason }) => `${host} 的 .info 无法使用：${reason}`,
      why: "回答必须是 JSON，含所请求的版本和时间；否则 go 停止。",
      advice: "对方不是模块代理，或中间有设备改动了回答。",
    },
  }),
  HTTP_BAD_ZIP: kind<{ readonly host: string; readonly reason: string }>("fail", "simulate.md#wrong-content", {
    en: {
      title: ({ host, reason }) => `${host} sends a zip that go refuses: ${reason}`,
      why: "By then go has left the list: no other proxy is asked, whatever the separator.",
      advice: "Ask another proxy first, and tell the operator of this one.",
    },
    "zh-CN": {
      title: ({ host, reason }) => `${host} 的 zip 会被 go 拒绝：${reason}`,
      why: "此时 go 已离开代理列表：无论用哪种分隔符，都不会再问其他代理。",
      advice: "先问另一个代理，并告知此代理的运营者。",
    },
  }),
  HTTP_WRONG_CONTENT: kind<{ readonly host: string; readonly file: string; readonly database: string }>(
    "fail",
    "simulate.md#wrong-content",
    {
      en: {
        title: ({ host, file, database }) => `The ${file} from ${host} is not what ${database} recorded`,
        why: "The hash of what came differs from the proven record: go stops with SECURITY ERROR. The proxy is stale after a moved tag, broken, or hostile.",
        advice:
          "Do not switch verification off. Take the module from another proxy, and tell the operator of this one.",
      },
      "zh-CN": {
        title: ({ host, file, database }) => `${host} 的 ${file} 与 ${database} 的记录不符`,
        why: "收到内容的哈希与已证明的记录不同：go 以 SECURITY ERROR 停止。可能是标签移动后代理未更新、代理故障，或恶意篡改。",
        advice: "不要关闭校验。从另一个代理获取，并告知此代理的运营者。",
      },
    },
  ),
  HTTP_SUMDB_STOP: kind<Hop>("fail", "simulate.md#checksum-database", {
    en: {
      title: ({ hop, host, said }) => `Hop ${hop} (${host}) fails at /supported (${said}), so nothing can be verified`,
      why: "go asks each proxy whether it relays the checksum database. Only 404 and 410 mean no; any other failure stops every download that is not in go.sum yet.",
      advice:
        "The proxy should answer /supported with 404 when it has no database; until then put it behind one that relays it.",
    },
    "zh-CN": {
      title: ({ hop, host, said }) => `第 ${hop} 跳（${host}）的 /supported 失败（${said}），因此什么都无法校验`,
      why: "go 会问每个代理是否转发校验和数据库。只有 404 和 410 表示没有；其他失败会让 go.sum 里还没有的下载全部停止。",
      advice: "没有数据库的代理应对 /supported 回答 404；在此之前，把它放到能转发的代理后面。",
    },
  }),
  HTTP_SUMDB_SETTING: kind<{ readonly sentence: string }>("fail", "simulate.md#checksum-database", {
    en: {
      title: ({ sentence }) => `go stops at the setting of the checksum database: ${sentence}`,
      why: "GOSUMDB must be a name with a built-in key, or a whole verifier key; go says so at the first module that go.sum lacks.",
      advice: "`go env -u GOSUMDB` takes it away, and sum.golang.org is used.",
    },
    "zh-CN": {
      title: ({ sentence }) => `go 因校验和数据库的设置而停止：${sentence}`,
      why: "GOSUMDB 必须是内置密钥的名称，或完整的验证密钥；遇到 go.sum 里没有的模块时 go 就会报错。",
      advice: "`go env -u GOSUMDB` 可去掉它，改用 sum.golang.org。",
    },
  }),
  HTTP_SUMDB_UNREACHABLE: kind<{ readonly database: string; readonly host: string; readonly said: string }>(
    "fail",
    "simulate.md#checksum-database",
    {
      en: {
        title: ({ database, host, said }) => `${database} cannot be asked at ${host} (${said})`,
        why: "Without the database nothing new can be verified. Once a proxy has said that it relays it, go asks nowhere else.",
        advice:
          "Use a proxy that relays it. In mainland China GOSUMDB=sum.golang.google.cn is the same database at another address.",
      },
      "zh-CN": {
        title: ({ database, host, said }) => `无法在 ${host} 访问 ${database}（${said}）`,
        why: "没有数据库就无法校验新内容。代理一旦声明转发数据库，go 就不再问别处。",
        advice: "使用能转发它的代理。在中国大陆，GOSUMDB=sum.golang.google.cn 是同一个数据库的另一个地址。",
      },
    },
  ),
  HTTP_SUMDB_UNPROVEN: kind<{ readonly database: string; readonly host: string; readonly reason: string }>(
    "fail",
    "simulate.md#checksum-database",
    {
      en: {
        title: ({ database, host, reason }) => `What ${host} gives as ${database} cannot be proven: ${reason}`,
        why: "A record counts only when it is in the signed tree. Whoever relays the database may be broken, behind, or lying.",
        advice: "Ask the database by another way; `granary sumdb lookup` shows each step of the proof.",
      },
      "zh-CN": {
        title: ({ database, host, reason }) => `${host} 给出的 ${database} 内容无法证明：${reason}`,
        why: "只有能证明位于已签名树中的记录才算数。转发者可能故障、滞后，或在说谎。",
        advice: "换一条路访问数据库；`granary sumdb lookup` 会显示证明的每一步。",
      },
    },
  ),
  HTTP_NO_RECORD: kind<{ readonly database: string; readonly what: string }>("warn", "simulate.md#checksum-database", {
    en: {
      title: ({ database, what }) => `${database} has no record of ${what}`,
      why: "Public versions get a record at the first lookup. None means that the database cannot fetch the module: it is private, gone, or breaks the rules.",
      advice: "If it is private, name it in GOPRIVATE.",
    },
    "zh-CN": {
      title: ({ database, what }) => `${database} 没有 ${what} 的记录`,
      why: "公开版本在首次查询时就会有记录。没有记录说明数据库取不到该模块：它是私有的、已消失，或不合规则。",
      advice: "如果是私有模块，把它写进 GOPRIVATE。",
    },
  }),
  HTTP_NOT_PROVEN: kind<{ readonly what: string }>("info", "simulate.md#checksum-database", {
    en: {
      title: ({ what }) => `Nothing vouches for ${what}: the settings keep go from asking a checksum database`,
      why: "GOSUMDB, GONOSUMDB or GOPRIVATE say so. What the proxy sends first is what go.sum will hold.",
    },
    "zh-CN": {
      title: ({ what }) => `没有谁能证明 ${what}：按设置 go 不询问校验和数据库`,
      why: "这是 GOSUMDB、GONOSUMDB 或 GOPRIVATE 决定的。代理首次发来什么，go.sum 就记下什么。",
    },
  }),
  HTTP_H2_BROKEN: kind<{ readonly host: string; readonly said: string }>("fail", "trace.md#http2", {
    en: {
      title: ({ host, said }) => `HTTP/2 with ${host} fails (${said}), HTTP/1.1 works`,
      why: "go prefers HTTP/2 wherever a server offers it. A firewall, a load balancer or the server itself breaks it.",
    },
    "zh-CN": {
      title: ({ host, said }) => `与 ${host} 的 HTTP/2 失败（${said}），HTTP/1.1 正常`,
      why: "只要服务器提供，go 就优先用 HTTP/2。防火墙、负载均衡或服务器自身破坏了它。",
    },
  }),
  HTTP_H2_RESETS: kind<{ readonly host: string; readonly resets: number; readonly of: number }>(
    "warn",
    "trace.md#http2",
    {
      en: {
        title: ({ host, resets, of }) => `${host} broke ${resets} of ${of} HTTP/2 requests, and none over HTTP/1.1`,
        why: "go does not repeat a request whose stream was reset: one of hundreds fails, and the build with it.",
      },
      "zh-CN": {
        title: ({ host, resets, of }) => `${host} 在 ${of} 个 HTTP/2 请求中断开 ${resets} 个，HTTP/1.1 一个也没有`,
        why: "流被重置后 go 不会重发：几百个请求里有一个失败，构建就失败。",
      },
    },
  ),
  HTTP_H2_SLOWER: kind<{ readonly host: string; readonly h2Ms: number; readonly http1Ms: number }>(
    "info",
    "trace.md#http2",
    {
      en: {
        title: ({ host, h2Ms, http1Ms }) =>
          `HTTP/2 with ${host} is slower: first byte after ${duration(h2Ms)}, over HTTP/1.1 ${duration(http1Ms)}`,
        why: "One connection carries all requests and loses all of them when a packet is lost; something in between may also slow it.",
      },
      "zh-CN": {
        title: ({ host, h2Ms, http1Ms }) =>
          `与 ${host} 的 HTTP/2 较慢：首字节 ${duration(h2Ms)}，HTTP/1.1 为 ${duration(http1Ms)}`,
        why: "所有请求共用一条连接，丢一个包全都要等；也可能是中间设备拖慢了它。",
      },
    },
  ),
  HTTP_NO_H2: kind<{ readonly host: string }>("info", "trace.md#http2", {
    en: {
      title: ({ host }) => `${host} offers no HTTP/2`,
      why: "go then opens a connection for each request under way. That works; it costs handshakes.",
    },
    "zh-CN": {
      title: ({ host }) => `${host} 不提供 HTTP/2`,
      why: "此时 go 为每个并发请求各开一条连接。可以工作，只是多了握手。",
    },
  }),
  HTTP_STALE_CACHE: kind<{ readonly host: string; readonly layer: string }>("warn", "trace.md#caches-in-between", {
    en: {
      title: ({ host, layer }) => `A cache before ${host} answers with something old (${layer})`,
      why: "It could not ask anew, or was told not to. New versions and retractions do not show until it does.",
      advice: "Lists and @latest should be kept for a minute or not at all.",
    },
    "zh-CN": {
      title: ({ host, layer }) => `${host} 前面的缓存给出了旧内容（${layer}）`,
      why: "它无法重新询问，或被设置为不询问。在此之前看不到新版本和撤回。",
      advice: "list 与 @latest 只应缓存一分钟，或不缓存。",
    },
  }),
  CHAIN_SEEN_STOP: kind<Hop & { readonly rest: string }>("fail", "simulate.md#the-comma", {
    en: {
      title: ({ hop, host, said, step, rest }) =>
        `Hop ${hop} (${host}) fails at ${step} (${said}), and go does not ask ${rest}`,
      why: "After a comma go goes on only when a proxy says 404 or 410. After `|` any failure leads on.",
    },
    "zh-CN": {
      title: ({ hop, host, said, step, rest }) =>
        `第 ${hop} 跳（${host}）的 ${step} 失败（${said}），go 不再询问 ${rest}`,
      why: "逗号之后，只有代理回答 404 或 410 时 go 才继续。`|` 之后任何失败都会继续。",
    },
  }),
  CHAIN_SEEN_FALLBACK: kind<Hop & { readonly next: string }>("warn", "simulate.md#the-comma", {
    en: {
      title: ({ hop, host, said, next }) => `Hop ${hop} (${host}) does not help (${said}); ${next} does`,
      why: "go walks the list anew for every single file and pays for the failing hop each time.",
      advice: "Put the proxy that has it first.",
    },
    "zh-CN": {
      title: ({ hop, host, said, next }) => `第 ${hop} 跳（${host}）没有帮助（${said}），${next} 可以`,
      why: "每个文件 go 都从头走一遍列表，每次都要为失败的一跳付出时间。",
      advice: "把有该模块的代理放到第一位。",
    },
  }),
  CHAIN_SEEN_ABSENT: kind<{ readonly what: string; readonly step: string }>("fail", "simulate.md#the-comma", {
    en: {
      title: ({ what, step }) => `No proxy of the list has ${what} (${step})`,
      why: "All of them answered 404 or 410, and the list ends there.",
      advice:
        "Check path and version. A new tag may take minutes until a mirror knows it; a private module needs GOPRIVATE.",
    },
    "zh-CN": {
      title: ({ what, step }) => `列表中没有代理有 ${what}（${step}）`,
      why: "它们都回答 404 或 410，列表到此为止。",
      advice: "检查路径和版本。新标签要过几分钟镜像才知道；私有模块需要 GOPRIVATE。",
    },
  }),
  CHAIN_SEEN_DIRECT: kind<{ readonly what: string; readonly step: string }>("warn", "simulate.md#direct", {
    en: {
      title: ({ what, step }) => `go goes on to the repository of ${what} itself (${step})`,
      why: "No proxy had it, and the list goes on with `direct`: git runs, on the network that the proxies were to spare you.",
      advice: "What git does there is not simulated.",
    },
    "zh-CN": {
      title: ({ what, step }) => `go 接着去 ${what} 自己的仓库（${step}）`,
      why: "没有代理有它，而列表后面是 `direct`：会运行 git，走的正是代理想替你避开的网络。",
      advice: "git 在那里做什么，这里不模拟。",
    },
  }),
  CHAIN_SEEN_OFF: kind<{ readonly what: string }>("fail", "simulate.md#direct", {
    en: {
      title: ({ what }) => `GOPROXY ends in off before anybody had ${what}`,
      why: "`off` forbids every download: `module lookup disabled by GOPROXY=off`.",
      advice: "Put a proxy into GOPROXY.",
    },
    "zh-CN": {
      title: ({ what }) => `还没有谁提供 ${what}，GOPROXY 就到了 off`,
      why: "`off` 禁止一切下载：`module lookup disabled by GOPROXY=off`。",
      advice: "在 GOPROXY 中写一个代理。",
    },
  }),
  CHAIN_SEEN_PRIVATE: kind<{ readonly what: string; readonly patterns: string }>(
    "info",
    "simulate.md#private-modules",
    {
      en: {
        title: ({ what, patterns }) => `go asks no proxy for ${what}: it matches ${patterns}`,
        why: "GONOPROXY, or GOPRIVATE in its place, sends matching modules straight to their repositories. Nothing was asked here, so that the name does not leak.",
      },
      "zh-CN": {
        title: ({ what, patterns }) => `go 不向代理询问 ${what}：它匹配 ${patterns}`,
        why: "GONOPROXY（未设时为 GOPRIVATE）让匹配的模块直接走自己的仓库。为免泄露名称，这里什么也没问。",
      },
    },
  ),
} as const satisfies Area;
