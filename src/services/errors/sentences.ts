// The shape of a language's sentences, and the little grammar they share.

import type { Fields, GranaryCode, Tried } from "./codes.ts";

export const langs = ["en", "zh-CN"] as const;
export type Lang = (typeof langs)[number];

/** All that is said about one code: the lines of one failure, and the paragraphs of `granary explain`. */
export type Entry<C extends GranaryCode> = {
  /** What happened and where; then why; the last line says what to do. Fields arrive quoted. */
  readonly lines: (fields: Fields[C]) => readonly string[];
  readonly cause: string;
  readonly remedy: string;
};

/** One language's sentences for some codes. Completeness is what the compiler proves. */
export type Sentences<C extends GranaryCode> = { readonly [K in C]: Entry<K> };

/** `goproxy.cn (timeout), aliyun (404)` */
export function triedEn(tried: readonly Tried[]): string {
  return tried.length === 0 ? "none" : tried.map(({ upstream, reason }) => `${upstream} (${reason})`).join(", ");
}

/** `goproxy.cn（超时）、aliyun（404）` */
export function triedZh(tried: readonly Tried[]): string {
  return tried.length === 0 ? "无" : tried.map(({ upstream, reason }) => `${upstream}（${reason}）`).join("、");
}

/** `1,204` */
export function count(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumFractionDigits: 0 }) : String(value);
}

/** `31.8 MB`, in powers of 1000 as disks and networks are sold. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"] as const;
  let rest = value;
  let unit = 0;
  while (rest >= 999.95 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 || rest >= 99.95 ? Math.round(rest) : Math.round(rest * 10) / 10} ${units[unit] ?? "B"}`;
}

/** `480 ms`, `3.2 s`, `4 min` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 60_000)} min`;
}
