// The small page at `/-/`: what this server is, what it keeps, whom it asks. No scripts, no outside resources.

import { bytes } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { WitnessingState } from "#services/sumlog/witnessing.ts";

export type Status = {
  readonly version: string;
  readonly ready: boolean;
  readonly warnings: readonly string[];
  /** Why nothing new is taken; empty while everything is. What is kept is served in any case. */
  readonly degraded: readonly string[];
  /** Alarms that are raised, in a sentence each. */
  readonly alarms: readonly string[];
  /** The disk under the store, as last seen. */
  readonly store: {
    /** Why nothing new is taken, and since when; absent while everything is. */
    readonly closed?: { readonly reason: string; readonly since: string };
    readonly freeBytes?: number;
    readonly totalBytes?: number;
    readonly freeInodes?: number;
    readonly lowWaterBytes: number;
    /** Mean of small durable writes of the last 30 s. */
    readonly writeMs?: number;
  };
  /** The store that nodes share, and what is in front of it here; absent where there is none. */
  readonly shared?: {
    readonly bucket: string;
    /** Why it is out of reach, and since when; absent while it answers. */
    readonly away?: { readonly reason: string; readonly since: string };
    readonly near: Tier;
    readonly memory: Tier;
    /** What waits to be uploaded. */
    readonly queue: Tier;
  };
  readonly uptimeSeconds: number;
  readonly mode: string;
  readonly upstreams: readonly { readonly name: string; readonly condition: string }[];
  readonly databases: readonly {
    readonly name: string;
    readonly treeSize: number | undefined;
    /** Evidence of a fork that nobody has decided about. */
    readonly alarm?: string | undefined;
    /** What each route's newest head was when they were last compared. */
    readonly routes?: readonly { readonly route: string; readonly verdict: string; readonly treeSize?: number }[];
    /** Of an own database that has witnesses: who cosigns, and what is shown. */
    readonly witnessing?: WitnessingState | undefined;
  }[];
  /** What rests on a signed list while no database answers, and how it stands with that list. */
  readonly integrity?: {
    readonly owed: number;
    readonly from?: {
      readonly name: string;
      readonly lines?: number;
      readonly until?: string;
      readonly trouble?: string;
    };
  };
  /** The nodes that share this one's work; absent for a node by itself. */
  readonly cluster?: {
    /** False while each goes on by itself. */
    readonly up: boolean;
    readonly nodes: readonly {
      readonly node: string;
      readonly version: string;
      readonly requests: number;
      readonly perSecond: number;
      readonly isSelf: boolean;
      /** 1 when all are asked alike. */
      readonly skew: number;
    }[];
  };
  readonly hot: { readonly entries: number; readonly bytes: number };
  readonly jobs: number;
};

type Tier = { readonly bytes: number; readonly objects: number };

type Words = {
  readonly title: string;
  readonly upstreams: string;
  readonly databases: string;
  readonly off: string;
  readonly tree: string;
  readonly unknownTree: string;
  readonly mode: string;
  readonly memory: string;
  readonly disk: string;
  readonly free: (free: string, total: string) => string;
  readonly nodes: string;
  readonly alone: string;
  readonly shared: string;
  readonly copies: (bucket: string, near: string, waiting: string) => string;
  readonly jobs: string;
  readonly uptime: string;
  readonly use: string;
  readonly seconds: string;
};

const words: Readonly<Record<Lang, Words>> = {
  en: {
    title: "Granary, a Go module proxy",
    upstreams: "Upstreams",
    databases: "Checksum databases",
    off: "off: nothing is verified",
    tree: "tree size",
    unknownTree: "no tree head yet",
    mode: "Mode",
    memory: "Ready-made answers",
    disk: "Disk",
    free: (free, total) => `${free} of ${total} free`,
    nodes: "Nodes",
    alone: "Redis does not answer: each goes on by itself",
    shared: "Shared store",
    copies: (bucket, near, waiting) => `${bucket}; ${near} of copies here, ${waiting} wait to be uploaded`,
    jobs: "Fetches running",
    uptime: "Running for",
    use: "Use it",
    seconds: "s",
  },
  "zh-CN": {
    title: "Granary 常平仓：Go 模块代理",
    upstreams: "上游",
    databases: "校验和数据库",
    off: "已关闭：不做任何校验",
    tree: "树大小",
    unknownTree: "尚无树头",
    mode: "模式",
    memory: "内存中的现成应答",
    disk: "磁盘",
    free: (free, total) => `共 ${total}，可用 ${free}`,
    nodes: "节点",
    alone: "Redis 无应答：各节点独自运行",
    shared: "共享存储",
    copies: (bucket, near, waiting) => `${bucket}；本机副本 ${near}，等待上传 ${waiting}`,
    jobs: "正在拉取",
    uptime: "已运行",
    use: "使用方法",
    seconds: "秒",
  },
};

export function statusPage(status: Status, lang: Lang): string {
  const say = words[lang];
  const number = new Intl.NumberFormat(lang === "en" ? "en-US" : "zh-CN");
  const tree = (size: number | undefined) =>
    size === undefined ? say.unknownTree : `${say.tree} ${number.format(size)}`;
  const databases = status.databases.map(({ name, treeSize }) => `${name} (${tree(treeSize)})`);
  const rows: readonly (readonly [string, string])[] = [
    [say.upstreams, status.upstreams.map(({ name, condition }) => `${name} (${condition})`).join(" → ")],
    [say.mode, status.mode],
    [say.databases, databases.length === 0 ? say.off : databases.join(", ")],
    [say.memory, `${number.format(status.hot.entries)}, ${number.format(status.hot.bytes)} B`],
    ...diskRow(status, say),
    ...nodesRow(status, say),
    ...sharedRow(status, say),
    [say.jobs, number.format(status.jobs)],
    [say.uptime, `${number.format(status.uptimeSeconds)} ${say.seconds}`],
  ];
  const table = rows
    .map(([name, value]) => `<tr><th align="left">${escapeHtml(name)}<td>${escapeHtml(value)}`)
    .join("\n");
  const warnings = [...status.degraded, ...status.alarms, ...status.warnings]
    .map((line) => `<p><strong>${escapeHtml(line)}</strong>`)
    .join("\n");
  return `<!doctype html>
<html lang="${lang}"><meta charset="utf-8"><title>${say.title}</title>
<h1>${say.title} ${escapeHtml(status.version)}</h1>
${warnings}
<table cellpadding="4">
${table}
</table>
<p>${say.use}: <code>go env -w GOPROXY=http://HOST:PORT</code>
<p><a href="/-/readyz">/-/readyz</a> · <a href="/-/metrics">/-/metrics</a>
</html>
`;
}

function diskRow({ store: { freeBytes, totalBytes } }: Status, say: Words): [string, string][] {
  if (freeBytes === undefined || totalBytes === undefined) return [];
  return [[say.disk, say.free(bytes(freeBytes), bytes(totalBytes))]];
}

function nodesRow({ cluster }: Status, say: Words): [string, string][] {
  if (cluster === undefined) return [];
  const nodes = cluster.nodes.map(({ node, version, perSecond }) => `${node} (${version}, ${perSecond}/s)`).join(", ");
  return [[say.nodes, cluster.up ? nodes : `${nodes}. ${say.alone}`]];
}

function sharedRow({ shared }: Status, say: Words): [string, string][] {
  if (shared === undefined) return [];
  return [[say.shared, say.copies(shared.bucket, bytes(shared.near.bytes), bytes(shared.queue.bytes))]];
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
