// What the server says of its disk and its alarms, in log, readyz and status page.

import type { AlarmView } from "#services/alarms/alarms.ts";
import { bytes } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import type { AlarmName } from "#services/events/ports.ts";
import type { RefusalReason, RoomView } from "#services/store/room.ts";

type Words = {
  /** Why nothing new is taken, and what to do. */
  readonly refusal: Readonly<Record<RefusalReason, string>>;
  readonly closed: (reason: RefusalReason, why: string, since: string) => string;
  readonly space: (free: string, total: string, mark: string) => string;
  /** The shared store is out of reach. */
  readonly away: (bucket: string, reason: string, since: string) => string;
  readonly waiting: (objects: number, size: string) => string;
  readonly alarm: Readonly<Record<AlarmName, string>>;
  readonly raised: (name: string, since: string, says: string) => string;
  readonly beyond: (value: string, limit: string) => string;
};

const words: Readonly<Record<Lang, Words>> = {
  en: {
    refusal: {
      "low-space": "space is below the low-water mark; make room",
      "low-inodes": "the file system can hold hardly any more files; remove some",
      full: "the disk is full; make room",
      quota: "the quota is used up; make room or raise it",
      "read-only": "the file system is read-only; look at the kernel's log and remount it",
      io: "the disk answers with errors; look at it",
      files: "too many open files; raise LimitNOFILE (ulimit -n) or lower limits.connections",
    },
    closed: (reason, why, since) =>
      `no new modules since ${since} (${reason}): ${why}. What is kept is served; this ends by itself.`,
    space: (free, total, mark) => ` ${free} of ${total} are free, the mark is ${mark}.`,
    away: (bucket, reason, since) =>
      `the shared store ${bucket} is out of reach since ${since} (${reason}); look at the service. What this node has copies of is served; this ends by itself.`,
    waiting: (objects, size) => ` ${objects} objects (${size}) wait here to be uploaded.`,
    alarm: {
      heap: "the JavaScript heap is nearly full; restart soon, and look at cache.bytes and limits",
      "disk-await": "small durable writes are slow; look at the disk and at who shares it",
      "low-space": "space is running out; soon nothing new will be taken",
      "store-closed": "nothing new is taken",
      "sync-delay":
        "a version that a webhook announced is still not in its list; look at sync.state and at its upstream",
      "verify-failures":
        "upstreams give bytes that do not verify; look at module.denied and at granary store quarantine list",
    },
    raised: (name, since, says) => `${name} since ${since}: ${says}`,
    beyond: (value, limit) => ` (${value}, limit ${limit})`,
  },
  "zh-CN": {
    refusal: {
      "low-space": "可用空间低于低水位线，请腾出空间",
      "low-inodes": "文件系统几乎无法再建文件，请删除一些文件",
      full: "磁盘已满，请腾出空间",
      quota: "配额已用尽，请腾出空间或提高配额",
      "read-only": "文件系统为只读，请查看内核日志并重新挂载",
      io: "磁盘报错，请检查磁盘",
      files: "打开的文件过多，请提高 LimitNOFILE（ulimit -n）或降低 limits.connections",
    },
    closed: (reason, why, since) =>
      `自 ${since} 起不接收新模块（${reason}）：${why}。已保存的内容照常提供；恢复后自动继续。`,
    space: (free, total, mark) => `共 ${total}，可用 ${free}，低水位线 ${mark}。`,
    away: (bucket, reason, since) =>
      `共享存储 ${bucket} 自 ${since} 起不可达（${reason}），请检查该服务。本节点有副本的内容照常提供；恢复后自动继续。`,
    waiting: (objects, size) => ` 有 ${objects} 个对象（${size}）在本机等待上传。`,
    alarm: {
      heap: "JavaScript 堆将满；请尽快重启，并检查 cache.bytes 和各项 limits",
      "disk-await": "小文件持久写入过慢；请检查磁盘以及与谁共用",
      "low-space": "空间即将用尽；很快将不再接收新内容",
      "store-closed": "不接收新内容",
      "sync-delay": "webhook 通知的版本仍未出现在列表中；请查看 sync.state 事件和对应上游",
      "verify-failures": "上游给出的内容未通过校验；请查看 module.denied 事件和 granary store quarantine list",
    },
    raised: (name, since, says) => `${name}，自 ${since} 起：${says}`,
    beyond: (value, limit) => `（${value}，上限 ${limit}）`,
  },
};

/** Why nothing new is taken; empty while everything is. */
export function degradedLines({ refusal, space, markBytes }: RoomView, lang: Lang): string[] {
  if (refusal === undefined) return [];
  const say = words[lang];
  const { reason, sinceMs } = refusal;
  const line = say.closed(reason, say.refusal[reason], at(sinceMs));
  const isAboutSpace = reason === "low-space" || reason === "full";
  if (!isAboutSpace || space === undefined) return [line];
  return [line + say.space(bytes(space.freeBytes), bytes(space.totalBytes), bytes(markBytes))];
}

/** Why the bucket that nodes share is not asked, and what waits for it; empty while neither is so. */
export function awayLines(
  view: {
    readonly bucket: string;
    readonly away: { readonly reason: string; readonly sinceMs: number } | undefined;
    readonly queue: { readonly objects: number; readonly bytes: number };
  },
  lang: Lang,
): string[] {
  const { bucket, away, queue } = view;
  if (away === undefined) return [];
  const say = words[lang];
  const line = say.away(bucket, away.reason, at(away.sinceMs));
  return [queue.objects === 0 ? line : line + say.waiting(queue.objects, bytes(queue.bytes))];
}

/** Alarms that are raised. That the store is closed has lines of its own. */
export function alarmLines(views: readonly AlarmView[], lang: Lang): string[] {
  const say = words[lang];
  return views.flatMap(({ name, unit, measured, raisedMs }) => {
    if (raisedMs === undefined || name === "store-closed") return [];
    const numbers = measured && say.beyond(shown(measured.value, unit), shown(measured.limit, unit));
    return [say.raised(name, at(raisedMs), `${say.alarm[name]}${numbers ?? ""}`)];
  });
}

function shown(value: number, unit: AlarmView["unit"]): string {
  // Below a percent its digits matter.
  if (unit === "share") return `${value < 0.01 ? Math.round(value * 10_000) / 100 : Math.round(value * 100)} %`;
  if (unit === "bytes") return bytes(value);
  return value < 10_000 ? `${Math.round(value)} ms` : `${Math.round(value / 1000)} s`;
}

function at(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
