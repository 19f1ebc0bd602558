// What `granary dns` says beside its findings, in both languages.

import type { Lang } from "#services/errors/sentences.ts";
import type { ResolverChoice } from "#services/analysers/go-resolver.ts";
import type { Identity } from "#services/analysers/dns-report.ts";

type DnsTexts = {
  readonly because: Readonly<Record<ResolverChoice["because"], string>>;
  readonly identities: Readonly<Record<Identity, string>>;
  readonly host: string;
  readonly system: string;
  readonly answeredBy: {
    readonly hosts: (place: string) => string;
    readonly server: (server: string) => string;
    readonly nss: string;
    readonly nobody: string;
  };
  readonly goCommand: (version: string) => string;
  readonly withCgo: string;
  readonly noGo: string;
  readonly resolver: (resolver: "go" | "cgo", order: string, because: string) => string;
  readonly noAddress: string;
  readonly ttl: (seconds: number) => string;
  readonly authority: string;
  readonly columns: readonly string[];
  readonly addressColumns: readonly string[];
  readonly well: (host: string) => string;
  readonly bad: (host: string, codes: string) => string;
  readonly whichVerdict: (host: string, addresses: string) => string;
  readonly noCache: string;
  readonly goKeepsNone: string;
  readonly flushRan: (code: number) => string;
  readonly flushHint: string;
};

export const dnsTexts: Readonly<Record<Lang, DnsTexts>> = {
  en: {
    because: {
      godebug: "GODEBUG says so",
      "no-cgo": "built without cgo",
      platform: "this platform's way",
      environment: "LOCALDOMAIN, RES_OPTIONS or HOSTALIASES is set",
      name: "the name has a \\ or %",
      "resolv.conf": "resolv.conf has something that Go leaves to libc",
      "nsswitch.conf": "by nsswitch.conf",
      default: "by default",
    },
    identities: {
      genuine: "its certificate",
      other: "somebody else's certificate",
      plain: "no TLS",
      dead: "no connection",
      untried: "not tried",
    },
    host: "name",
    system: "system",
    answeredBy: {
      hosts: (place) => `from ${place}`,
      server: (server) => `from DNS server ${server}`,
      nss: "from another source of the system (nsswitch.conf, a cache)",
      nobody: "no answer",
    },
    goCommand: (version) => `go command (${version})`,
    withCgo: "programs with cgo",
    noGo: "no go command on PATH",
    resolver: (resolver, order, because) =>
      resolver === "cgo" ? `getaddrinfo of the system (${because})` : `Go's own resolver: ${order} (${because})`,
    noAddress: "no address",
    ttl: (seconds) => `${seconds} s`,
    authority: "authoritative",
    columns: ["SERVER", "TYPE", "ANSWER", "TTL", "TIME"],
    addressColumns: ["ADDRESS", "WHO IS THERE", "FROM"],
    well: (host) => `The answers for ${host} agree well enough for go.`,
    bad: (host, codes) => `Answers for ${host} are in doubt: ${codes}.`,
    whichVerdict: (host, addresses) => `go dials ${host} at ${addresses}.`,
    noCache: "Nothing on this machine keeps DNS answers.",
    goKeepsNone: "go keeps none: the next command asks anew. A server further away may keep them until their TTL ends.",
    flushRan: (code) => (code === 0 ? "done" : `failed with ${code}`),
    flushHint: "Run them with: granary dns flush --run",
  },
  "zh-CN": {
    because: {
      godebug: "由 GODEBUG 指定",
      "no-cgo": "构建时未启用 cgo",
      platform: "该平台的方式",
      environment: "设置了 LOCALDOMAIN、RES_OPTIONS 或 HOSTALIASES",
      name: "名称中含 \\ 或 %",
      "resolv.conf": "resolv.conf 中有 Go 交给 libc 处理的内容",
      "nsswitch.conf": "依 nsswitch.conf",
      default: "默认",
    },
    identities: {
      genuine: "本域名的证书",
      other: "他人的证书",
      plain: "无 TLS",
      dead: "连不上",
      untried: "未尝试",
    },
    host: "名称",
    system: "系统",
    answeredBy: {
      hosts: (place) => `来自 ${place}`,
      server: (server) => `来自 DNS 服务器 ${server}`,
      nss: "来自系统的其他来源（nsswitch.conf 或缓存）",
      nobody: "无应答",
    },
    goCommand: (version) => `go 命令（${version}）`,
    withCgo: "带 cgo 的程序",
    noGo: "PATH 中没有 go",
    resolver: (resolver, order, because) =>
      resolver === "cgo" ? `系统的 getaddrinfo（${because}）` : `Go 自带解析器：${order}（${because}）`,
    noAddress: "无地址",
    ttl: (seconds) => `${seconds} s`,
    authority: "权威",
    columns: ["服务器", "类型", "答案", "TTL", "用时"],
    addressColumns: ["地址", "对端", "来源"],
    well: (host) => `各处对 ${host} 的答案一致，go 可以使用。`,
    bad: (host, codes) => `${host} 的答案存疑：${codes}。`,
    whichVerdict: (host, addresses) => `go 连接 ${host} 时使用 ${addresses}。`,
    noCache: "本机没有 DNS 缓存。",
    goKeepsNone: "go 不缓存 DNS，下一条命令会重新查询；上游服务器可能保留到 TTL 结束。",
    flushRan: (code) => (code === 0 ? "完成" : `失败，返回 ${code}`),
    flushHint: "要执行它们：granary dns flush --run",
  },
};
