// What the commands about module caches say, in both languages.

import type { Lang } from "#services/errors/sentences.ts";

type Texts = {
  readonly origin: Readonly<Record<"go" | "machine" | "flag", string>>;
  readonly notThere: string;
  readonly size: (all: string, zips: string, trees: string) => string;
  readonly versions: (modules: string, versions: string, zips: string, modsOnly: string, trees: string) => string;
  readonly used: (oldest: string, newest: string) => string;
  readonly sumdb: (lookups: string, tiles: string, size: string) => string;
  readonly vcs: (count: string, size: string) => string;
  readonly left: (partials: string, temps: string, size: string, locks: string) => string;
  readonly readOnly: string;
  readonly asProxy: string;
  readonly labels: Readonly<
    Record<"size" | "versions" | "used" | "sumdb" | "vcs" | "left" | "access" | "head" | "gosum", string>
  >;
  readonly cutShort: string;
  readonly verifying: (done: string, total: string) => string;
  readonly verified: (versions: string, database: string, goSum: string, nobody: string) => string;
  readonly empty: (root: string) => string;
  /** Between two sentences. */
  readonly space: string;
  readonly sound: string;
  readonly damaged: (count: number) => string;
  readonly absent: (what: string) => string;
  readonly planTitle: string;
  readonly planTemps: (count: string) => string;
  readonly planList: string;
  readonly fixHint: string;
  readonly fixed: (units: number, files: string) => string;
  readonly readOnlyNoFix: string;
  readonly gcColumns: readonly string[];
  readonly gcReason: Readonly<Record<"age" | "size", string>>;
  readonly gcMore: (count: string) => string;
  readonly gcPlan: (leaving: string, of: string, freed: string, bytes: string) => string;
  readonly gcNothing: (of: string, bytes: string) => string;
  readonly gcSpared: (recent: number, kept: number) => string;
  readonly gcOver: (bytes: string) => string;
  readonly gcDone: (removed: string, freed: string) => string;
  readonly gcBusy: (count: number) => string;
  readonly gcNeedsRule: string;
  readonly downloading: string;
  readonly refreshing: (done: string, total: string) => string;
  readonly refreshed: (versions: string, bytes: string, time: string, changed: number) => string;
  readonly refreshVerdict: Readonly<Record<"same" | "replaced" | "new" | "busy" | "no-locks", string>>;
  readonly moduleVerdict: Readonly<Record<"proven" | "noted" | "alone" | "wrong" | "absent", string>>;
  readonly files: string;
  readonly record: (number: string) => string;
  readonly unasked: Readonly<Record<"off" | "pattern" | "file-proxy" | "refused", string>>;
  readonly unrecorded: string;
  readonly unknown: string;
  readonly unproven: string;
  readonly life: Readonly<Record<"time" | "origin" | "cached" | "used" | "newest" | "deprecated", string>>;
  readonly newest: (version: string) => string;
  readonly questions: (count: number) => string;
  readonly proves: Readonly<Record<"record" | "head" | "tile", string>>;
  readonly noQuestions: string;
  readonly smoking: (what: string) => string;
  readonly smokeColumns: readonly string[];
  readonly smokeKind: Readonly<Record<"list" | "latest" | "info" | "mod" | "zip" | "sumdb" | "other", string>>;
  readonly smokeOk: (what: string, time: string, bytes: string) => string;
  readonly smokeFailed: (time: string) => string;
  readonly needsVersion: string;
};

const en: Texts = {
  origin: { go: "go env GOMODCACHE", machine: "read without go", flag: "--cache" },
  notThere: "There is no such folder yet: go makes it when it downloads something.",
  size: (all, zips, trees) => `${all}   zips ${zips}, extracted ${trees}`,
  versions: (modules, versions, zips, modsOnly, trees) =>
    `${versions} of ${modules} modules   ${zips} zips, ${trees} extracted, ${modsOnly} go.mod only`,
  used: (oldest, newest) => `${oldest} … ${newest}`,
  sumdb: (lookups, tiles, size) => `${lookups} records, ${tiles} tiles, ${size}`,
  vcs: (count, size) => `${count} clones, ${size}`,
  left: (partials, temps, size, locks) => `${partials} half extracted, ${temps} temporary (${size}), ${locks} locks`,
  readOnly: "read-only: go can use it, and download nothing into it",
  asProxy: "As a proxy, for machines without a network:",
  labels: {
    size: "size",
    versions: "versions",
    used: "used",
    sumdb: "records",
    vcs: "clones",
    left: "leftovers",
    access: "access",
    head: "head",
    gosum: "go.sum",
  },
  cutShort: "Not everything was looked at.",
  verifying: (done, total) => `verifying ${done} of ${total}`,
  verified: (versions, database, goSum, nobody) =>
    `${versions} ${versions === "1" ? "version" : "versions"}: ${database} proven by the database, ${goSum} by go.sum, ${nobody} by nobody.`,
  empty: (root) => `${root} holds no versions.`,
  space: " ",
  sound: "Everything is as it was downloaded.",
  damaged: (count) => (count === 1 ? "1 finding." : `${count} findings.`),
  absent: (what) => `${what} is not in the cache.`,
  planTitle: "To be removed:",
  planTemps: (count) => `${count} temporary ${count === "1" ? "file" : "files"}`,
  planList: "written anew",
  fixHint: "Remove what is damaged, and nothing else: granary modcache verify --fix",
  fixed: (units, files) => `Mended: ${units} versions, ${files} other files. go makes anew what it needs.`,
  readOnlyNoFix: "Nothing can be mended in a read-only cache.",
  gcColumns: ["VERSION", "SIZE", "WHY", "LAST USED"],
  gcReason: { age: "unused", size: "too much" },
  gcMore: (count) => `… and ${count} more`,
  gcPlan: (leaving, of, freed, bytes) => `${leaving} of ${of} versions, ${freed} of ${bytes}`,
  gcNothing: (of, bytes) => `Nothing leaves: ${of} versions, ${bytes}.`,
  gcSpared: (recent, kept) => `Kept: ${recent} used lately, ${kept} named by --keep.`,
  gcOver: (bytes) => `Still ${bytes} more than allowed. --older-than 0s takes what was used lately, too.`,
  gcDone: (removed, freed) => `${removed} versions removed, ${freed} freed.`,
  gcBusy: (count) => `${count} left alone: a go command uses them.`,
  gcNeedsRule: "--max-size, --older-than",
  downloading: "go is downloading into a folder of its own",
  refreshing: (done, total) => `comparing ${done} of ${total}`,
  refreshed: (versions, bytes, time, changed) =>
    `${versions} modules downloaded anew, ${bytes} in ${time}; ${changed} put right here.`,
  refreshVerdict: {
    same: "same",
    replaced: "replaced",
    new: "new",
    busy: "left alone: a go command is at work on it",
    "no-locks": "left alone: go's locks cannot be taken here",
  },
  moduleVerdict: {
    proven: "is what the checksum database recorded",
    noted: "is what go.sum has; no database vouches for it",
    alone: "agrees with itself; nobody vouches for it",
    wrong: "does not fit",
    absent: "is not in this cache; what others say of it:",
  },
  files: "files",
  record: (number) => `record ${number}`,
  unasked: {
    off: "not asked: GOSUMDB=off",
    pattern: "not asked: GONOSUMDB or GOPRIVATE matches",
    "file-proxy": "not asked: GOPROXY is a file:// proxy",
    refused: "not asked: GOSUMDB or GOPROXY is malformed",
  },
  unrecorded: "has no record of it",
  unknown: "could not be asked",
  unproven: "answered what does not verify",
  life: {
    time: "committed",
    origin: "from",
    cached: "cached",
    used: "used",
    newest: "newest",
    deprecated: "deprecated",
  },
  newest: (version) => `${version} in this cache`,
  questions: (count) => (count === 1 ? "1 question to the database:" : `${count} questions to the database:`),
  proves: { record: "record", head: "head", tile: "proof" },
  noQuestions: "No database was asked.",
  smoking: (what) => `go is downloading ${what}`,
  smokeColumns: ["REQUEST", "COUNT", "TIME", "LONGEST"],
  smokeKind: {
    list: "list",
    latest: "latest",
    info: "info",
    mod: "go.mod",
    zip: "zip",
    sumdb: "checksums",
    other: "other",
  },
  smokeOk: (what, time, bytes) => `${what} in ${time}, ${bytes}. Downloads work.`,
  smokeFailed: (time) => `Downloads do not work (${time}).`,
  needsVersion: "MODULE@VERSION",
};

const zhCn: Texts = {
  origin: { go: "go env GOMODCACHE", machine: "没有 go，自行读取", flag: "--cache" },
  notThere: "该目录还不存在，go 下载时会创建。",
  size: (all, zips, trees) => `${all}   zip ${zips}，解压 ${trees}`,
  versions: (modules, versions, zips, modsOnly, trees) =>
    `${modules} 个模块的 ${versions} 个版本   zip ${zips}，解压 ${trees}，仅 go.mod ${modsOnly}`,
  used: (oldest, newest) => `${oldest} … ${newest}`,
  sumdb: (lookups, tiles, size) => `${lookups} 条记录，${tiles} 个 tile，${size}`,
  vcs: (count, size) => `${count} 个克隆，${size}`,
  left: (partials, temps, size, locks) => `解压中断 ${partials}，临时文件 ${temps}（${size}），锁 ${locks}`,
  readOnly: "只读：go 可以使用，但不能下载到其中",
  asProxy: "作为代理，供无网络的机器使用：",
  labels: {
    size: "大小",
    versions: "版本",
    used: "使用",
    sumdb: "记录",
    vcs: "克隆",
    left: "遗留",
    access: "权限",
    head: "树头",
    gosum: "go.sum",
  },
  cutShort: "未检查全部内容。",
  verifying: (done, total) => `正在校验 ${done}/${total}`,
  verified: (versions, database, goSum, nobody) =>
    `${versions} 个版本：数据库证明 ${database}，go.sum 证明 ${goSum}，无证明 ${nobody}。`,
  empty: (root) => `${root} 中没有任何版本。`,
  space: "",
  sound: "内容与下载时一致。",
  damaged: (count) => `发现 ${count} 个问题。`,
  absent: (what) => `缓存中没有 ${what}。`,
  planTitle: "将删除：",
  planTemps: (count) => `${count} 个临时文件`,
  planList: "重写",
  fixHint: "只删除损坏的部分：granary modcache verify --fix",
  fixed: (units, files) => `已修复 ${units} 个版本、${files} 个其他文件；go 需要时会重新生成。`,
  readOnlyNoFix: "缓存只读，无法修复。",
  gcColumns: ["版本", "大小", "原因", "最近使用"],
  gcReason: { age: "长期未用", size: "超出上限" },
  gcMore: (count) => `……另有 ${count} 个`,
  gcPlan: (leaving, of, freed, bytes) => `${of} 个版本中的 ${leaving} 个，${bytes} 中的 ${freed}`,
  gcNothing: (of, bytes) => `无需清理：${of} 个版本，${bytes}。`,
  gcSpared: (recent, kept) => `保留：近期用过 ${recent}，--keep 指定 ${kept}。`,
  gcOver: (bytes) => `仍超出上限 ${bytes}。--older-than 0s 会连近期用过的一并清理。`,
  gcDone: (removed, freed) => `已删除 ${removed} 个版本，释放 ${freed}。`,
  gcBusy: (count) => `${count} 个正被 go 使用，未作改动。`,
  gcNeedsRule: "--max-size、--older-than",
  downloading: "go 正在下载到单独的目录",
  refreshing: (done, total) => `正在比较 ${done}/${total}`,
  refreshed: (versions, bytes, time, changed) =>
    `重新下载了 ${versions} 个模块，${bytes}，用时 ${time}；更正 ${changed} 个。`,
  refreshVerdict: {
    same: "相同",
    replaced: "已替换",
    new: "新增",
    busy: "未改动：go 正在处理",
    "no-locks": "未改动：无法取得 go 的锁",
  },
  moduleVerdict: {
    proven: "与校验和数据库的记录一致",
    noted: "与 go.sum 一致，没有数据库证明",
    alone: "自身一致，没有任何证明",
    wrong: "不一致",
    absent: "不在这个缓存中；其他来源的说法：",
  },
  files: "文件",
  record: (number) => `第 ${number} 条记录`,
  unasked: {
    off: "未查询：GOSUMDB=off",
    pattern: "未查询：匹配 GONOSUMDB 或 GOPRIVATE",
    "file-proxy": "未查询：GOPROXY 是 file:// 代理",
    refused: "未查询：GOSUMDB 或 GOPROXY 格式不对",
  },
  unrecorded: "没有它的记录",
  unknown: "无法查询",
  unproven: "给出的内容无法验证",
  life: { time: "提交", origin: "来源", cached: "缓存", used: "使用", newest: "最新", deprecated: "弃用" },
  newest: (version) => `此缓存中为 ${version}`,
  questions: (count) => `向数据库提出 ${count} 个请求：`,
  proves: { record: "记录", head: "树头", tile: "证明" },
  noQuestions: "没有查询数据库。",
  smoking: (what) => `go 正在下载 ${what}`,
  smokeColumns: ["请求", "次数", "用时", "最长"],
  smokeKind: {
    list: "list",
    latest: "latest",
    info: "info",
    mod: "go.mod",
    zip: "zip",
    sumdb: "校验",
    other: "其他",
  },
  smokeOk: (what, time, bytes) => `${what} 用时 ${time}，${bytes}。下载正常。`,
  smokeFailed: (time) => `下载失败（${time}）。`,
  needsVersion: "MODULE@VERSION",
};

const all: Readonly<Record<Lang, Texts>> = { en, "zh-CN": zhCn };

export function modcacheTexts(lang: Lang): Texts {
  return all[lang];
}
