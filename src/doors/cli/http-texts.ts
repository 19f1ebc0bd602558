// What `simulate`, `trace` and `mirrors` say, in both languages. Columns are tabs.

import { bytes, count, duration } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { Simulation } from "#services/analysers/http-simulation.ts";
import type { TimedPhase } from "#services/analysers/http-trace.ts";
import type { Comparison } from "#services/analysers/http-protocols.ts";
import type { CacheLayer } from "#services/analysers/http-cache.ts";
import type { Crosscheck } from "#services/mirrors/crosscheck.ts";
import type { RuleName, RuleResult } from "#services/mirrors/rules.ts";
import type { Known, MirrorStatus } from "#services/mirrors/registry.ts";

type Sum = { readonly requests: number; readonly bytes: number; readonly ms: number };

export type HttpTexts = {
  readonly heading: (what: string, go: string) => string;
  readonly stepColumns: string;
  readonly tiles: (sum: { readonly count: number; readonly bytes: number; readonly ms: number }) => string;
  readonly twice: string;
  readonly hashVerdict: Readonly<Record<"recorded" | "differs" | "unknown", string>>;
  readonly record: (fields: {
    readonly record: number;
    readonly tree: number;
    readonly name: string;
    readonly host: string;
  }) => string;
  readonly outcome: Readonly<Record<Simulation["outcome"], (sum: Sum) => string>>;
  readonly noProxy: string;
  readonly emitColumns: string;
  readonly emitRows: readonly (readonly string[])[];
  readonly phase: Readonly<Record<TimedPhase, string>>;
  readonly way: Readonly<Record<"direct" | "usual", string>>;
  readonly hop: (hop: number, host: string) => string;
  readonly answer: string;
  readonly to: string;
  readonly total: string;
  readonly bottleneck: (fields: {
    readonly phase: string;
    readonly hop: number;
    readonly host: string;
    readonly ms: number;
    readonly share: number;
  }) => string;
  readonly cache: (layer: CacheLayer) => string;
  readonly cacheLayer: Readonly<Record<CacheLayer["layer"], string>>;
  readonly cacheVerdict: Readonly<Record<CacheLayer["verdict"], string>>;
  readonly age: (seconds: number) => string;
  readonly protocolColumns: string;
  readonly protocolVerdict: Readonly<Record<Comparison["verdict"], string>>;
  readonly mirrorColumns: string;
  readonly status: Readonly<Record<MirrorStatus, string>>;
  readonly known: Readonly<Record<Known, string>>;
  readonly nobody: string;
  readonly probed: (fields: {
    readonly failure: string | undefined;
    readonly ms: number | undefined;
    readonly isSame: boolean;
    readonly isBusy: boolean;
  }) => string;
  readonly mirrorsVerdict: (best: string) => string;
  readonly checkColumns: string;
  readonly rule: Readonly<Record<RuleName, string>>;
  readonly ruleVerdict: Readonly<Record<RuleResult["verdict"], string>>;
  readonly checkVerdict: Readonly<Record<Crosscheck["verdict"], string>>;
  readonly written: (file: string) => string;
};

const en: HttpTexts = {
  heading: (what, go) => `${what}, as go ${go} fetches it`,
  stepColumns: "step\thop\tanswer\tsize\tproto\tdns\ttcp\ttls\twait\ttotal ms\t",
  tiles: (sum) => `${count(sum.count)} heads and tiles prove the record (${bytes(sum.bytes)}, ${duration(sum.ms)})`,
  twice: "go asks twice",
  hashVerdict: { recorded: "as recorded", differs: "NOT as recorded", unknown: "nobody vouches" },
  record: ({ record, tree, name, host }) => `record ${count(record)} of ${count(tree)} in ${name}, through ${host}`,
  outcome: {
    proven: (sum) => `go would succeed, and all of it is proven: ${sumEn(sum)}.`,
    unproven: (sum) => `go would succeed, and nobody vouches for what came: ${sumEn(sum)}.`,
    failed: (sum) => `go would fail here (${sumEn(sum)}). The first finding says why.`,
    private: () => "go asks no proxy for this module.",
  },
  noProxy: "GOPROXY has no proxy: there is nothing to ask with curl or wget.",
  emitColumns: "\tcurl\twget",
  emitRows: [
    ["HTTP/2", "yes, by ALPN, as go", "no, HTTP/1.1 only"],
    ["redirects", "-L --max-redirs 9", "--max-redirect=9"],
    ["User-Agent", "-A, kept over redirects", "-U, kept over redirects"],
    ["gzip", "--compressed, unpacked", "a header; stays packed"],
    ["times", "-w, phase by phase", "none"],
    ["good for", "finding the phase that fails", "a machine without curl"],
  ],
  phase: { dnsMs: "DNS", tcpMs: "TCP", tunnelMs: "CONNECT", tlsMs: "TLS", firstByteMs: "first byte", bodyMs: "body" },
  way: { direct: "direct", usual: "relayed" },
  hop: (hop, host) => `${count(hop)} ${host}`,
  answer: "answer",
  to: "to",
  total: "total",
  bottleneck: ({ phase, hop, host, ms, share }) =>
    `Bottleneck: ${phase} at hop ${count(hop)} (${host}), ${duration(ms)}, ${Math.round(share * 100)} % of the way`,
  cache: ({ header, value }) => `(${header}: ${value})`,
  cacheLayer: {
    "go-proxy": "module proxy",
    upstream: "behind it",
    cloudflare: "Cloudflare",
    cdn: "CDN",
    nginx: "nginx",
    cache: "a cache",
    via: "passed through",
  },
  cacheVerdict: {
    hit: "had it",
    miss: "had to fetch",
    stale: "had it, old, and did not ask",
    expired: "had it, too old, and asked anew",
    bypass: "does not cache it",
    unasked: "was not asked",
    through: "says nothing of a cache",
  },
  age: (seconds) => `in caches for ${duration(seconds * 1000)}`,
  protocolColumns: "protocol\tfirst byte (median)\tat once\tin\treset",
  protocolVerdict: {
    same: "HTTP/2 and HTTP/1.1 do equally well.",
    "h2-better": "HTTP/2 does better.",
    "http1-better": "HTTP/1.1 does better. Try GODEBUG=http2client=0.",
    "h2-broken": "HTTP/2 is broken on this way. GODEBUG=http2client=0 makes go do without.",
    none: "The server offers no HTTP/2.",
    unreachable: "Neither protocol gets an answer.",
    busy: "The server asked to be left alone (429, Retry-After): nothing more was asked.",
    plain: "Without TLS go speaks HTTP/1.1: there is nothing to compare.",
  },
  mirrorColumns: "name\tstatus\tlist\tlatest\tzip\tsumdb\ttoolchain",
  status: {
    recommended: "recommended",
    usable: "usable",
    discouraged: "discouraged",
    claimed: "claimed",
    dead: "dead",
  },
  known: { yes: "yes", no: "no", unknown: "?" },
  nobody: "nobody vouches for it",
  probed: ({ failure, ms, isSame, isBusy }) => {
    if (failure !== undefined) return `probed: no module proxy answers (${failure})`;
    const first = ms === undefined ? "" : `first byte ${duration(ms)}, `;
    return `probed: ${first}${isSame ? "content as everywhere" : "content not compared"}${isBusy ? ", then asked us to stop" : ""}`;
  },
  mirrorsVerdict: (best) => `Start with ${best}. Claimed ones stay claimed until somebody vouches for them.`,
  checkColumns: "file\tmirror\tanswer\tsize\tms\tLast-Modified\th1",
  rule: {
    status: "status",
    content: "content (h1)",
    length: "length ±5 %",
    smallest: "at least 100 B",
    modified: "Last-Modified within 30 min",
    etag: "ETag",
  },
  ruleVerdict: { pass: "holds", hint: "does not hold, a hint only", fail: "does not hold", skip: "nothing to compare" },
  checkVerdict: {
    healthy: "Healthy: every mirror gives what the checksum database recorded.",
    suspected: "Suspected: not all of it is what it should be. Do not use the mirrors named above for it.",
    undecided: "Undecided: too little came, or no database vouches.",
    private: "Private: nobody was asked.",
  },
  written: (file) => `Recorded in ${file}`,
};

function sumEn({ requests, bytes: size, ms }: Sum): string {
  return `${count(requests)} ${requests === 1 ? "request" : "requests"}, ${bytes(size)}, ${duration(ms)}`;
}

const zh: HttpTexts = {
  heading: (what, go) => `${what}，按 go ${go} 的方式获取`,
  stepColumns: "步骤\t跳\t回答\t大小\t协议\tdns\ttcp\ttls\t等待\t合计 ms\t",
  tiles: (sum) => `${count(sum.count)} 个树头和 tile 证明该记录（${bytes(sum.bytes)}，${duration(sum.ms)}）`,
  twice: "go 会请求两次",
  hashVerdict: { recorded: "与记录一致", differs: "与记录不符", unknown: "无人证明" },
  record: ({ record, tree, name, host }) => `${name} 第 ${count(record)} 条（树 ${count(tree)}），经 ${host}`,
  outcome: {
    proven: (sum) => `go 会成功，且全部已证明：${sumZh(sum)}。`,
    unproven: (sum) => `go 会成功，但没有谁证明收到的内容：${sumZh(sum)}。`,
    failed: (sum) => `go 会在此失败（${sumZh(sum)}）。原因见第一条结果。`,
    private: () => "go 不会向代理询问此模块。",
  },
  noProxy: "GOPROXY 中没有代理：没有可用 curl 或 wget 请求的对象。",
  emitColumns: "\tcurl\twget",
  emitRows: [
    ["HTTP/2", "支持，经 ALPN，与 go 相同", "不支持，只有 HTTP/1.1"],
    ["重定向", "-L --max-redirs 9", "--max-redirect=9"],
    ["User-Agent", "-A，重定向后保留", "-U，重定向后保留"],
    ["gzip", "--compressed，自动解压", "只发头部，不解压"],
    ["耗时", "-w，分阶段", "无"],
    ["适合", "定位失败的阶段", "没有 curl 的机器"],
  ],
  phase: { dnsMs: "DNS", tcpMs: "TCP", tunnelMs: "CONNECT", tlsMs: "TLS", firstByteMs: "首字节", bodyMs: "正文" },
  way: { direct: "直连", usual: "经代理" },
  hop: (hop, host) => `${count(hop)} ${host}`,
  answer: "回答",
  to: "对端",
  total: "合计",
  bottleneck: ({ phase, hop, host, ms, share }) =>
    `瓶颈：第 ${count(hop)} 跳（${host}）的${phase}，${duration(ms)}，占全程 ${Math.round(share * 100)} %`,
  cache: ({ header, value }) => `（${header}: ${value}）`,
  cacheLayer: {
    "go-proxy": "模块代理",
    upstream: "其上游",
    cloudflare: "Cloudflare",
    cdn: "CDN",
    nginx: "nginx",
    cache: "某级缓存",
    via: "途经",
  },
  cacheVerdict: {
    hit: "命中",
    miss: "未命中，已回源",
    stale: "旧内容，未重新询问",
    expired: "已过期，重新询问过",
    bypass: "不缓存",
    unasked: "未被询问",
    through: "没有说明缓存情况",
  },
  age: (seconds) => `已在缓存中 ${duration(seconds * 1000)}`,
  protocolColumns: "协议\t首字节（中位数）\t并发\t用时\t重置",
  protocolVerdict: {
    same: "HTTP/2 与 HTTP/1.1 相当。",
    "h2-better": "HTTP/2 更好。",
    "http1-better": "HTTP/1.1 更好。可试 GODEBUG=http2client=0。",
    "h2-broken": "这条路上 HTTP/2 是坏的。GODEBUG=http2client=0 让 go 不用它。",
    none: "服务器不提供 HTTP/2。",
    unreachable: "两种协议都没有得到回答。",
    busy: "服务器要求停止（429、Retry-After）：没有继续请求。",
    plain: "没有 TLS 时 go 只用 HTTP/1.1，无从比较。",
  },
  mirrorColumns: "名称\t状态\tlist\tlatest\tzip\tsumdb\ttoolchain",
  status: { recommended: "推荐", usable: "可用", discouraged: "不推荐", claimed: "仅有说法", dead: "已关闭" },
  known: { yes: "有", no: "无", unknown: "?" },
  nobody: "无人认领",
  probed: ({ failure, ms, isSame, isBusy }) => {
    if (failure !== undefined) return `已探测：没有模块代理应答（${failure}）`;
    const first = ms === undefined ? "" : `首字节 ${duration(ms)}，`;
    return `已探测：${first}${isSame ? "内容与各处一致" : "未比较内容"}${isBusy ? "，随后要求停止" : ""}`;
  },
  mirrorsVerdict: (best) => `先用 ${best}。“仅有说法”的条目，在有人认领之前保持原状。`,
  checkColumns: "文件\t镜像\t回答\t大小\tms\tLast-Modified\th1",
  rule: {
    status: "状态码",
    content: "内容（h1）",
    length: "长度 ±5 %",
    smallest: "不少于 100 B",
    modified: "Last-Modified 相差 30 分钟内",
    etag: "ETag",
  },
  ruleVerdict: { pass: "符合", hint: "不符，仅供参考", fail: "不符", skip: "无可比较" },
  checkVerdict: {
    healthy: "健康：各镜像给出的都与校验和数据库的记录一致。",
    suspected: "可疑：有内容与应有的不同。此版本不要用上面点名的镜像。",
    undecided: "无法判定：得到的太少，或没有数据库证明。",
    private: "私有：没有询问任何人。",
  },
  written: (file) => `已记录到 ${file}`,
};

function sumZh({ requests, bytes: size, ms }: Sum): string {
  return `${count(requests)} 个请求，${bytes(size)}，${duration(ms)}`;
}

export const httpTexts: Readonly<Record<Lang, HttpTexts>> = { en, "zh-CN": zh };
