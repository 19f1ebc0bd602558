// What go says when names, connections and streams fail.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or, tail } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#network";

export const goNetworkFindings = {
  GO_ERR_NO_SUCH_HOST: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `no DNS server knows ${or(host, "the host")}`,
      why: "A name that does not resolve ends the whole GOPROXY list after a comma: go tries the next entry only after 404 and 410.",
      advice:
        "Check the spelling first. A name that other networks resolve is filtered or split here: ask another DNS server, or use a mirror.",
    },
    "zh-CN": {
      title: ({ host }) => `DNS 中没有 ${or(host, "该主机")}`,
      why: "域名无法解析时，逗号后的代理不会再试：go 只在 404 和 410 时尝试下一项。",
      advice: "先检查拼写。若在其他网络可以解析，则是本地 DNS 被过滤或内外网不一致：换一个 DNS 服务器，或改用镜像。",
    },
  }),
  GO_ERR_DNS_FAILED: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the DNS server gave no answer for ${or(host, "the host")}`,
      why: "The resolver was not reached or failed; that says nothing about the host itself.",
      advice: "Look at /etc/resolv.conf, the VPN and the container's DNS setting; another try may already work.",
    },
    "zh-CN": {
      title: ({ host }) => `DNS 服务器没有给出 ${or(host, "该主机")} 的结果`,
      why: "没能连上 DNS 服务器，或服务器出错；这不说明主机本身有问题。",
      advice: "检查 /etc/resolv.conf、VPN 和容器的 DNS 设置；重试可能就会成功。",
    },
  }),
  GO_ERR_CONNECT_TIMEOUT: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `no connection to ${or(host, "the server")}: silence until the timeout`,
      why: "Packets are dropped on the way: a firewall, a filtered network, or a dead address. go waits 30 s for a connection.",
      advice: "If other hosts work, use a mirror that is reachable here, and put it first in GOPROXY.",
    },
    "zh-CN": {
      title: ({ host }) => `连接 ${or(host, "服务器")} 超时，没有任何回应`,
      why: "数据包在途中被丢弃：防火墙、受限网络，或地址已失效。go 建立连接最多等 30 秒。",
      advice: "若其他主机正常，请改用这里能访问的镜像，并放在 GOPROXY 的第一位。",
    },
  }),
  GO_ERR_REFUSED: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} refuses connections`,
      why: "The address is reached and nothing listens there, or a firewall answers for it.",
      advice: "Is the proxy running, and is the port right? After a comma go does not try the next entry.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 拒绝连接`,
      why: "地址可达，但该端口没有程序监听，或由防火墙代为拒绝。",
      advice: "检查代理是否在运行、端口是否正确。逗号之后的下一项不会被尝试。",
    },
  }),
  GO_ERR_UNREACHABLE: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `there is no route to ${or(host, "the server")}`,
      why: "This machine has no way there: no network, no IPv6, or a route that is missing.",
      advice: "An address with colons is IPv6: a machine that has it only by name should not be given AAAA answers.",
    },
    "zh-CN": {
      title: ({ host }) => `没有通往 ${or(host, "服务器")} 的路由`,
      why: "本机无法到达：没有网络、没有 IPv6，或缺少路由。",
      advice: "带冒号的地址是 IPv6：若本机 IPv6 不可用，就不应得到 AAAA 结果。",
    },
  }),
  GO_ERR_RESET: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the connection to ${or(host, "the server")} was cut off (reset)`,
      why: "The server, or something on the way that forges its packets, ended the connection. go does not try again by itself.",
      advice: "Once is an accident. Always at the same host is a filter: use another mirror.",
    },
    "zh-CN": {
      title: ({ host }) => `与 ${or(host, "服务器")} 的连接被重置`,
      why: "服务器或途中伪造其数据包的设备中断了连接。go 不会自动重试。",
      advice: "偶尔一次是意外；总在同一主机发生则是过滤：换一个镜像。",
    },
  }),
  GO_ERR_BROKEN_OFF: kind<Said>("fail", page, {
    en: {
      title: ({ host, what }) => `an answer${tail(" of ", host)} broke off${tail(" (", what, ")")}`,
      why: "The connection ended before the whole answer had come. go keeps nothing of it and does not try again.",
      advice: "Try again; if large zips always break off, a proxy in between has a limit of size or time.",
    },
    "zh-CN": {
      title: ({ host, what }) => `${or(host, "服务器")} 的响应中途断开${tail("（", what, "）")}`,
      why: "响应尚未收完连接就结束了。go 不会保留已收部分，也不会重试。",
      advice: "重试即可；若大的 zip 总是中断，说明中间代理限制了大小或时长。",
    },
  }),
  GO_ERR_READ_TIMEOUT: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} took the request and then kept silent`,
      why: "go itself has no timeout for an answer: this limit was set by whoever runs go, by git, or by a proxy.",
      advice: "Look for the tool that sets the limit, and measure how long the answer takes.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 收到请求后没有回应`,
      why: "go 等待响应没有超时限制：这个时限来自调用 go 的程序、git 或代理。",
      advice: "找出设置时限的程序，再测量响应实际需要多久。",
    },
  }),
  GO_ERR_TLS_TIMEOUT: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the TLS handshake with ${or(host, "the server")} got no answer`,
      why: "TCP connects and the handshake is swallowed: typical of a filter that looks at the server name, or of a path that drops large packets. go waits 10 s.",
      advice: "Compare with another mirror on the same network; lower the MTU when a VPN is in use.",
    },
    "zh-CN": {
      title: ({ host }) => `与 ${or(host, "服务器")} 的 TLS 握手没有回应`,
      why: "TCP 已连接，但握手数据被吞掉：常见于按服务器名过滤的设备，或丢弃大包的线路。go 等待 10 秒。",
      advice: "在同一网络换镜像对比；使用 VPN 时调低 MTU。",
    },
  }),
  GO_ERR_H2_STREAM: kind<Said>("fail", page, {
    en: {
      title: ({ value, host }) => `an HTTP/2 stream was reset${tail(" by ", host)}: ${or(value, "unknown code")}`,
      why: "The server, or the proxy in front of it, gave up this one request. go does not try it again; the next run usually works.",
      advice: "Try again. If it stays, switch HTTP/2 off for one run and compare.",
    },
    "zh-CN": {
      title: ({ value, host }) => `HTTP/2 流被${or(host, "对端")}重置：${or(value, "未知代码")}`,
      why: "服务器或其前面的代理放弃了这个请求。go 不会重试；再运行一次通常会成功。",
      advice: "重试。若持续出现，关闭 HTTP/2 运行一次再比较。",
    },
  }),
  GO_ERR_H2_CLOSED: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} closed its HTTP/2 connection while requests were under way`,
      why: "GOAWAY, or a connection that was lost: servers do that on restarts and when they shed load.",
      advice: "Try again. If it stays, the load balancer ends connections too early.",
    },
    "zh-CN": {
      title: ({ host }) => `${or(host, "服务器")} 在请求进行中关闭了 HTTP/2 连接`,
      why: "收到 GOAWAY 或连接丢失：服务器重启或减载时会这样。",
      advice: "重试。若持续出现，是负载均衡过早断开连接。",
    },
  }),
  GO_ERR_HTTP_PROXY_AUTH: kind<Said>("fail", page, {
    en: {
      title: () => "the HTTP proxy of this network wants a password (407)",
      why: "HTTPS_PROXY or HTTP_PROXY names a proxy that did not accept the connection without credentials. GOPROXY has nothing to do with it.",
      advice: "Put user and password into HTTPS_PROXY, or name your module proxy in NO_PROXY.",
    },
    "zh-CN": {
      title: () => "本网络的 HTTP 代理要求身份验证（407）",
      why: "HTTPS_PROXY 或 HTTP_PROXY 指向的代理不接受匿名连接。与 GOPROXY 无关。",
      advice: "在 HTTPS_PROXY 中写入用户名和密码，或把模块代理加入 NO_PROXY。",
    },
  }),
  GO_ERR_HTTP_PROXY_DOWN: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `the HTTP proxy ${or(host, "of this network")} cannot be used`,
      why: "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY sends every request to it, and it is not there or does not let go through.",
      advice: "Start it, correct the variable, or unset it; loopback addresses never go through it.",
    },
    "zh-CN": {
      title: ({ host }) => `HTTP 代理${tail(" ", host)} 不可用`,
      why: "HTTPS_PROXY、HTTP_PROXY 或 ALL_PROXY 让所有请求经过它，而它没有运行或不放行。",
      advice: "启动它、改正变量或取消设置；回环地址不经过它。",
    },
  }),
  GO_ERR_NOT_TLS: kind<Said>("fail", page, {
    en: {
      title: ({ host }) => `${or(host, "the server")} speaks plain HTTP where go speaks TLS`,
      why: "The URL says https, or has no scheme, which go reads as https; the port speaks http.",
      advice: "Write http:// before the address, or the port that speaks TLS.",
    },
    "zh-CN": {
      title: ({ host }) => `go 使用 TLS，而 ${or(host, "服务器")} 是明文 HTTP`,
      why: "URL 写的是 https，或没有写协议（go 按 https 处理）；该端口是 http。",
      advice: "在地址前写明 http://，或改用 TLS 端口。",
    },
  }),
  GO_NETWORK_DISABLED: kind<Said>("fail", page, {
    en: {
      title: () => "GODEBUG=cmdgonetlimit=0 forbids go any network",
      why: "The variable limits how many connections go may have; 0 is none.",
      advice: "Take cmdgonetlimit out of GODEBUG.",
    },
    "zh-CN": {
      title: () => "GODEBUG=cmdgonetlimit=0 禁止 go 使用网络",
      why: "该变量限制 go 的并发连接数；0 表示不允许。",
      advice: "从 GODEBUG 中去掉 cmdgonetlimit。",
    },
  }),
  GO_ERR_NOT_GO_TEXT: kind<Said>("warn", page, {
    en: {
      title: ({ value }) => `"${value}" is no text of the go command`,
      why: "Articles quote it, go never prints it: a wrapper or a person wrote it, and the real error stands elsewhere.",
      advice: "Run the go command itself, with -x, and give its whole output.",
    },
    "zh-CN": {
      title: ({ value }) => `“${value}”不是 go 命令的输出`,
      why: "文章中常引用，但 go 从不打印：它来自包装程序或人工转述，真正的错误在别处。",
      advice: "直接运行 go 命令并加 -x，提供完整输出。",
    },
  }),
} as const satisfies Area;
