// What the server says about itself: the hints after start, and the warnings in log, readyz and status page.

import { parseGosumdb } from "#protocol/gosumdb.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { Chain } from "#services/upstreams/chain.ts";
import type { Config } from "./config.ts";
import type { IntegrityView } from "./integrity.ts";
import { nodeBelowFloor } from "./node-floor.ts";
import { knowsAllUses } from "./tending.ts";

type Words = {
  readonly store: string;
  readonly upstream: string;
  readonly mode: string;
  readonly checksums: string;
  readonly off: string;
  readonly private: string;
  readonly use: string;
  readonly look: string;
  readonly nobody: string;
  readonly directLeft: string;
  readonly allDisabled: (names: string, first: string) => string;
  readonly someDisabled: (names: string, first: string) => string;
  readonly sumdbOff: string;
  readonly ownLeft: (names: string) => string;
  readonly plainSecret: (key: string, origin: string) => string;
  readonly forked: (database: string, evidence: string) => string;
  readonly owed: (count: number, list: string) => string;
  readonly indexAway: (reason: string) => string;
  readonly gcAlone: (bucket: string) => string;
  readonly oldNode: (running: string, floor: string) => string;
};

const words: Readonly<Record<Lang, Words>> = {
  en: {
    store: "store",
    upstream: "upstream",
    mode: "mode",
    checksums: "checksums",
    off: "off",
    private: "private",
    use: "Use it:",
    look: "Look:",
    nobody: "none",
    directLeft:
      "`direct` in this machine's GOPROXY is not followed: write it into `upstream`, or name modules with --direct.",
    allDisabled: (names, first) =>
      `All upstreams are disabled (${names}): only what is kept is served. Enable one: granary upstream enable ${first}`,
    someDisabled: (names, first) => `Disabled by an operator: ${names}. Enable: granary upstream enable ${first}`,
    sumdbOff: "The checksum database is off: nothing that is fetched is verified.",
    ownLeft: (names) => `This server itself was in its upstream list and left it: ${names}.`,
    plainSecret: (key, origin) => `${origin}: ${key} holds a plain secret; write file:/path or env:NAME instead.`,
    forked: (database, evidence) =>
      `${database} showed two histories that cannot both be true: nothing new is taken from it. Evidence: ${evidence}. See granary sumdb alarms.`,
    owed: (count, list) =>
      `${count} kept files rest on the integrity list of ${list} alone: no checksum database has proven them yet.`,
    indexAway: (reason) =>
      `The index that nodes share cannot be asked: nothing leaves the store, and uses are gathered until it is back. ${reason}`,
    gcAlone: (bucket) =>
      `gc.policy is lru-ttl, but without postgres.url this node knows only its own uses of the bucket ${bucket}: nothing leaves by itself. Set postgres.url on every node.`,
    oldNode: (running, floor) => `Node ${running} lacks security fixes; run the bundle on Node ${floor} or newer.`,
  },
  "zh-CN": {
    store: "存储",
    upstream: "上游",
    mode: "模式",
    checksums: "校验和",
    off: "已关闭",
    private: "私有模块",
    use: "使用：",
    look: "查看：",
    nobody: "无",
    directLeft: "不跟随本机 GOPROXY 中的 `direct`：请写入 upstream，或用 --direct 指定模块。",
    allDisabled: (names, first) =>
      `所有上游均已停用（${names}）：只提供已保存的内容。启用其中一个：granary upstream enable ${first}`,
    someDisabled: (names, first) => `已由运维人员停用：${names}。重新启用：granary upstream enable ${first}`,
    sumdbOff: "校验和数据库已关闭：拉取的内容不做任何校验。",
    ownLeft: (names) => `上游列表中含有本服务自身，已移除：${names}。`,
    plainSecret: (key, origin) => `${origin}：${key} 是明文机密；请改用 file:/path 或 env:NAME。`,
    forked: (database, evidence) =>
      `${database} 出示了两套不可能同时为真的历史：不再接受它的新内容。证据：${evidence}。请看 granary sumdb alarms。`,
    owed: (count, list) => `${count} 个已保存的文件仅由 ${list} 的完整性清单担保，尚无校验和数据库证明。`,
    indexAway: (reason) => `暂时无法查询各节点共用的索引：存储中没有内容离开，使用情况先暂存，待其恢复。${reason}`,
    gcAlone: (bucket) =>
      `gc.policy 为 lru-ttl，但未设置 postgres.url，本节点只知道自己对存储桶 ${bucket} 的使用：不会自动清理。请在每个节点设置 postgres.url。`,
    oldNode: (running, floor) => `Node ${running} 缺少安全修复；请用 Node ${floor} 或更新版本运行发布包。`,
  },
};

/** Everything an operator should know and change, in the server's language. */
export function startWarnings(config: Config, chain: Chain): string[] {
  const say = words[config.values.lang];
  const warnings: string[] = [];
  if (config.values.sumdb.includes("off")) warnings.push(say.sumdbOff);
  if (chain.hadDirect) warnings.push(say.directLeft);
  const disabled = chain.disabled?.map(({ name }) => name) ?? [];
  const tell = chain.upstreams.length === 0 ? say.allDisabled : say.someDisabled;
  if (disabled[0] !== undefined) warnings.push(tell(disabled.join(", "), disabled[0]));
  if (chain.own.length > 0) warnings.push(say.ownLeft(chain.own.join(", ")));
  if (config.values["gc.policy"] === "lru-ttl" && !knowsAllUses(config.values))
    warnings.push(say.gcAlone(config.values["s3.bucket"]));
  for (const { key, origin } of config.warnings) warnings.push(say.plainSecret(key, origin));
  const floor = nodeBelowFloor(process.version);
  if (floor !== undefined) warnings.push(say.oldNode(process.version, floor));
  return warnings;
}

/** Databases that showed two histories: nothing new is taken from them until a person decides. */
export function forkWarnings(
  config: Config,
  databases: readonly { readonly name: string; readonly alarm: string | undefined }[],
): string[] {
  const say = words[config.values.lang];
  return databases.flatMap(({ name, alarm }) => (alarm === undefined ? [] : [say.forked(name, alarm)]));
}

/** The index that nodes share is out of reach. */
export function indexWarning(config: Config, trouble: string | undefined): string[] {
  return trouble === undefined ? [] : [words[config.values.lang].indexAway(trouble)];
}

/** Bytes that a signed list vouched for, while no database could be reached, and no database has since. */
export function owedWarning(config: Config, integrity: IntegrityView): string[] {
  const { owed, from } = integrity;
  return owed === 0 ? [] : [words[config.values.lang].owed(owed, from?.name ?? "integrity.from")];
}

/** What to do next, for the person who started the server. */
export function startHints(
  config: Config,
  at: { readonly address: string; readonly chain: Chain; readonly tls: boolean },
): string {
  const { values } = config;
  const say = words[values.lang];
  const url = `${at.tls ? "https" : "http"}://${at.address}`;
  const names = at.chain.upstreams.map(({ name }) => name).join(" → ");
  const databases = values.sumdb.map(databaseName).filter((name) => name !== undefined);
  const rows: readonly (readonly [string, string])[] = [
    [say.store, values.store],
    [say.upstream, `${names === "" ? say.nobody : names}   ${say.mode} ${values.mode}`],
    [say.checksums, databases.length === 0 ? say.off : databases.join(", ")],
    ...(values.private === "" ? [] : [[say.private, values.private] as const]),
  ];
  const facts = rows.map(([name, value]) => `  ${pad(name, 10)} ${value}\n`).join("");
  return `\n${facts}\n  ${pad(say.use, 10)} go env -w GOPROXY=${url}\n  ${pad(say.look, 10)} ${url}/-/\n\n`;
}

function databaseName(text: string): string | undefined {
  const parsed = parseGosumdb(text);
  return parsed.kind === "database" ? parsed.name : undefined;
}

/** Chinese characters take two columns. */
function pad(text: string, columns: number): string {
  const width = text.length + (text.match(/[\u2e80-\uffff]/g)?.length ?? 0);
  return text + " ".repeat(Math.max(0, columns - width));
}
