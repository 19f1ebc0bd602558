// What `granary tls` says beside its findings, in both languages.

import type { Lang } from "#services/errors/sentences.ts";
import type { TlsQuestion } from "#services/analysers/tls-report.ts";

type TlsTexts = {
  readonly questions: Readonly<Record<TlsQuestion, string>>;
  readonly unknown: string;
  readonly headline: (at: string, name: string) => string;
  readonly proxied: string;
  readonly addresses: string;
  readonly chain: string;
  readonly authorities: string;
  readonly authoritiesOf: (count: string, place: string) => string;
  readonly clock: string;
  readonly clockOf: (seconds: string) => string;
  /** The last line. */
  readonly well: (at: string) => string;
  readonly bad: (at: string, findings: string) => string;
  readonly wrote: (file: string, count: number) => string;
  readonly nothing: (at: string) => string;
  readonly judge: string;
  readonly trusted: string;
  readonly notWhole: string;
  readonly then: string;
};

export const tlsTexts: Readonly<Record<Lang, TlsTexts>> = {
  en: {
    questions: {
      resolves: "the name has an address",
      connects: "a connection stands",
      speaks: "TLS is spoken",
      version: "the version will do",
      name: "the certificate is for the name",
      time: "it is in its time",
      complete: "the chain is complete",
      trusted: "go knows the authority",
      admits: "no client certificate is wanted",
    },
    unknown: "not known",
    headline: (at, name) => `${at}, called ${name}`,
    proxied: "through the proxy",
    addresses: "address",
    chain: "chain",
    authorities: "go trusts",
    authoritiesOf: (count, place) => `${count} authorities, ${place}`,
    clock: "clock",
    clockOf: (seconds) => `${seconds} s off the server's`,
    well: (at) => `go can fetch from ${at}.`,
    bad: (at, findings) => `go cannot fetch from ${at}: ${findings}.`,
    wrote: (file, count) => `${file}: ${count} certificate${count === 1 ? "" : "s"}`,
    nothing: (at) => `${at} presented no certificate: there is nothing to export.`,
    judge:
      "Nothing here says that these can be trusted: a server can send any certificate. Compare the SHA-256 with one that its owner tells you by another way; then, and only then:",
    trusted: "This machine's go trusts them already.",
    notWhole: "The root itself was not sent: the last certificate is signed by one that only its owner can give you.",
    then: "make it trusted",
  },
  "zh-CN": {
    questions: {
      resolves: "域名有地址",
      connects: "可以连接",
      speaks: "使用 TLS",
      version: "版本可用",
      name: "证书属于该名称",
      time: "证书在有效期内",
      complete: "证书链完整",
      trusted: "go 认识签发者",
      admits: "不要求客户端证书",
    },
    unknown: "未知",
    headline: (at, name) => `${at}，名称 ${name}`,
    proxied: "经代理",
    addresses: "地址",
    chain: "证书链",
    authorities: "go 信任",
    authoritiesOf: (count, place) => `${count} 个根证书，${place}`,
    clock: "时钟",
    clockOf: (seconds) => `与服务器相差 ${seconds} s`,
    well: (at) => `go 可以从 ${at} 下载。`,
    bad: (at, findings) => `go 无法从 ${at} 下载：${findings}。`,
    wrote: (file, count) => `${file}：${count} 张证书`,
    nothing: (at) => `${at} 未出示证书，没有可导出的内容。`,
    judge: "这里并不表示它们可信：服务器可以发送任意证书。请先通过其他途径向其所有者核对 SHA-256，确认一致后再执行：",
    trusted: "本机的 go 已信任它们。",
    notWhole: "根证书本身未被发送：最后一张证书的签发者只能向其所有者索取。",
    then: "加入信任",
  },
};
