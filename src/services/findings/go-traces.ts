// What traces show: `-x`, and GODEBUG=http2debug.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";
import { or } from "./go-said.ts";
import type { Said } from "./go-said.ts";

const page = "explain-error.md#traces";

export const goTraceFindings = {
  GO_TRACE_UNANSWERED: kind<Said>("fail", page, {
    en: {
      title: ({ host, value }) =>
        `${or(host, "a host")} left ${value} ${value === "1" ? "request" : "requests"} without an answer`,
      why: "The trace shows them begun and not ended: go was waiting for them when the log stops. It has no timeout of its own, so that a silent proxy holds it for ever.",
      advice: "Put a proxy that answers first in GOPROXY: neither a comma nor a | helps against silence.",
    },
    "zh-CN": {
      title: ({ host, value }) => `发往 ${or(host, "某主机")} 的 ${value} 个请求没有回应`,
      why: "日志中只有开始、没有结束：日志停止时 go 仍在等待。go 没有超时，沉默的代理会让它一直等下去。",
      advice: "把有回应的代理放在 GOPROXY 第一位：对沉默的代理，逗号和 | 都无济于事。",
    },
  }),
  GO_TRACE_SLOW: kind<Said>("warn", page, {
    en: {
      title: ({ host, value }) => `${or(host, "a host")} answers slowly: ${value}`,
      why: "Each module needs several requests in turn; slow ones add up to minutes.",
      advice: "Compare mirrors for this network, or keep a cache nearby.",
    },
    "zh-CN": {
      title: ({ host, value }) => `${or(host, "某主机")} 响应慢：${value}`,
      why: "每个模块要依次发出几个请求；慢请求累积起来就是几分钟。",
      advice: "在本网络比较各镜像，或就近部署缓存。",
    },
  }),
  GO_H2_CLIENT_CANCELLED: kind<Said>("warn", page, {
    en: {
      title: ({ value }) => `HTTP/2 streams that go itself cancelled: ${value} (wrote RST_STREAM CANCEL)`,
      why: "Written by this side: a deadline of the caller, Ctrl-C, or an answer nobody needed any more. The server refused nothing.",
      advice: "Look for what ended go, and for streams without an answer before it.",
    },
    "zh-CN": {
      title: ({ value }) => `go 自己取消了 ${value} 个 HTTP/2 流（wrote RST_STREAM CANCEL）`,
      why: "wrote 表示由本端发出：调用者的时限、Ctrl-C，或不再需要的响应。服务器并没有拒绝。",
      advice: "查找是什么结束了 go，以及此前没有回应的流。",
    },
  }),
  GO_H2_SERVER_RESET: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `the server reset HTTP/2 streams (read RST_STREAM): ${value}`,
      why: "Read from the other side: the server or the proxy in front of it gave the requests up. INTERNAL_ERROR is its own failure, REFUSED_STREAM and ENHANCE_YOUR_CALM are limits.",
      advice: "Compare one run with HTTP/1.1; if that works, the HTTP/2 front is at fault.",
    },
    "zh-CN": {
      title: ({ value }) => `服务器重置了 HTTP/2 流（read RST_STREAM）：${value}`,
      why: "read 表示来自对端：服务器或其前面的代理放弃了请求。INTERNAL_ERROR 是其内部错误，REFUSED_STREAM 和 ENHANCE_YOUR_CALM 是限流。",
      advice: "用 HTTP/1.1 运行一次对比；若正常，问题在 HTTP/2 前端。",
    },
  }),
  GO_H2_GOAWAY: kind<Said>("warn", page, {
    en: {
      title: ({ value }) => `the server ended HTTP/2 connections (GOAWAY): ${value}`,
      why: "NO_ERROR is an orderly end, as on restarts; other codes are complaints about this client.",
    },
    "zh-CN": {
      title: ({ value }) => `服务器结束了 HTTP/2 连接（GOAWAY）：${value}`,
      why: "NO_ERROR 是正常结束，如重启；其他代码是对客户端的抱怨。",
    },
  }),
  GO_H2_NO_ANSWER: kind<Said>("fail", page, {
    en: {
      title: ({ value }) => `HTTP/2 streams that were asked and never answered: ${value}`,
      why: "The request left (wrote HEADERS) and nothing came (no read HEADERS, no reset): the proxy did not pass it on, or packets are lost or swallowed.",
      advice: "Compare one run with HTTP/1.1, and the same request from another network.",
    },
    "zh-CN": {
      title: ({ value }) => `${value} 个 HTTP/2 流已发出请求，但没有回应`,
      why: "请求已发出（wrote HEADERS），却什么都没收到（没有 read HEADERS，也没有重置）：代理没有转发，或数据包丢失、被吞。",
      advice: "用 HTTP/1.1 运行一次，并在另一网络发同样的请求对比。",
    },
  }),
} as const satisfies Area;
