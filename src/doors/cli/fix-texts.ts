// The words of `granary fix timeout`, in both languages.

import type { Lang } from "#services/errors/sentences.ts";
import type { Leaf, RemedyId } from "#services/doctor/timeout.ts";

type Words = { readonly title: string; readonly why: string };

export type FixTexts = {
  readonly leaf: Readonly<Record<Leaf, string>>;
  readonly remedy: Readonly<Record<RemedyId, Words>>;
  readonly state: { readonly "in-place": string; readonly missing: string; readonly beyond: string };
  readonly check: string;
  readonly helps: string;
};

export const fixTexts: Readonly<Record<Lang, FixTexts>> = {
  en: {
    leaf: {
      dns: "The name of the proxy is not resolved, or too late.",
      connect: "The connection to the proxy does not come about.",
      tls: "The connection comes about, the TLS handshake does not end.",
      cancelled: "go gave its own requests up (wrote RST_STREAM CANCEL): something ended it while it waited.",
      reset: "The other side, or something on the way, resets connections or HTTP/2 streams.",
      unanswered: "Requests go out and no answer comes: the proxy did not pass them on, or something swallows them.",
      gateway: "The proxy answers 502, 503 or 504: it waits for somebody itself.",
      slow: "Answers begin, and come too slowly.",
      unread: "There is no log that tells. go has no timeout of its own: a silent proxy holds it for ever.",
    },
    remedy: {
      chain: {
        title: "several proxies in GOPROXY",
        why: "After `|` go asks the next one whatever is wrong; after a comma only on 404 and 410. Neither helps against silence.",
      },
      proxy: {
        title: "a proxy of your own",
        why: "Granary retries, resumes and changes mirrors behind one URL, and ends what is silent; go does none of it.",
      },
      cache: {
        title: "a module cache that lasts",
        why: "What is in GOMODCACHE is asked of nobody. Keep it between CI jobs; go has no quota for it.",
      },
      database: {
        title: "a second way to the checksum database",
        why: "Without an answer of the database nothing new is taken. A proxy that relays it is asked first.",
      },
      transport: {
        title: "HTTP/1.1 instead of HTTP/2",
        why: "Pools and timeouts of go's client have no settings; the protocol is all that can be chosen.",
      },
      names: {
        title: "names that resolve at once",
        why: "Each connection looks the name up; a resolver that is slow or lies is mended before anything else.",
      },
      tunnel: {
        title: "a way out through an egress proxy",
        why: "Where direct connections are dropped, go goes through HTTPS_PROXY with CONNECT.",
      },
    },
    state: { "in-place": "in place", missing: "missing", beyond: "not a matter of settings here" },
    check: "Look closer:",
    helps: "helps here",
  },
  "zh-CN": {
    leaf: {
      dns: "代理的域名解析失败，或解析太慢。",
      connect: "无法与代理建立连接。",
      tls: "连接已建立，但 TLS 握手没有完成。",
      cancelled: "go 自己放弃了请求（wrote RST_STREAM CANCEL）：等待期间它被终止。",
      reset: "对端或中间设备重置了连接或 HTTP/2 流。",
      unanswered: "请求已发出，没有回应：代理没有转发，或被中间设备吞掉。",
      gateway: "代理返回 502、503 或 504：它自己也在等别人。",
      slow: "回应已经开始，但太慢。",
      unread: "没有能说明问题的日志。go 没有超时：沉默的代理会让它一直等下去。",
    },
    remedy: {
      chain: {
        title: "GOPROXY 中配置多个代理",
        why: "`|` 之后：无论前一个出什么错，都会问下一个；逗号之后：只有 404 和 410。对沉默的代理两者都无效。",
      },
      proxy: {
        title: "自己的代理",
        why: "Granary 在同一个 URL 后面重试、续传、切换镜像，并结束沉默的连接；go 都不会做。",
      },
      cache: {
        title: "能保留下来的模块缓存",
        why: "GOMODCACHE 里已有的不再请求任何人。请在 CI 任务之间保留；go 没有配额。",
      },
      database: {
        title: "访问校验和数据库的第二条路",
        why: "数据库没有回答时，不会接受任何新版本。能转发它的代理会先被询问。",
      },
      transport: {
        title: "用 HTTP/1.1 代替 HTTP/2",
        why: "go 客户端的连接池和超时没有设置项，能选的只有协议。",
      },
      names: {
        title: "能立即解析的域名",
        why: "每个连接都要解析域名；解析慢或被篡改时，应先修好它。",
      },
      tunnel: {
        title: "经由出口代理",
        why: "直接连接被丢弃的网络里，go 通过 HTTPS_PROXY 以 CONNECT 方式访问。",
      },
    },
    state: { "in-place": "已就绪", missing: "缺少", beyond: "此处无需设置" },
    check: "进一步检查：",
    helps: "对此有效",
  },
};
