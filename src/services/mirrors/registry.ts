// Public module proxies, as data. An operator is named when the operator itself publishes the address; otherwise the
// entry is `claimed`, whatever guides say, until somebody probes it.

import { officialProxyURL } from "#protocol/official.ts";
import type { Lang } from "#services/errors/sentences.ts";

/** What a mirror is known to serve; `unknown` is for the probe to find out. */
export type Known = "yes" | "no" | "unknown";

export const abilities = ["list", "latest", "zip", "sumdb", "toolchain"] as const;
export type Ability = (typeof abilities)[number];

/**
 * `recommended`: put it into GOPROXY. `usable`: works, with the caveat. `discouraged`: works or not, there are better ones.
 * `claimed`: guides name it, nobody vouches. `dead`: it is gone.
 */
export type MirrorStatus = "recommended" | "usable" | "discouraged" | "claimed" | "dead";

export type Mirror = {
  readonly name: string;
  /** Without a slash at its end. */
  readonly url: string;
  /** Who says that it is theirs; empty when nobody does. */
  readonly operator: string;
  readonly status: MirrorStatus;
  readonly abilities: Readonly<Record<Ability, Known>>;
  /** Short texts; empty for none. */
  readonly caveat: Readonly<Record<Lang, string>>;
  /** An upstream of a Granary that nobody configured; its 404 is final when `authoritative`. */
  readonly preset?: { readonly authoritative: boolean };
};

const all = (known: Known): Mirror["abilities"] => ({
  list: known,
  latest: known,
  zip: known,
  sumdb: known,
  toolchain: known,
});

export const registry: readonly Mirror[] = [
  {
    name: "official",
    url: officialProxyURL,
    operator: "Google (the Go team)",
    status: "recommended",
    abilities: all("yes"),
    caveat: { en: "Not reachable from mainland China.", "zh-CN": "中国大陆无法访问。" },
    preset: { authoritative: true },
  },
  {
    name: "goproxy.cn",
    url: "https://goproxy.cn",
    operator: "Qiniu Cloud (七牛云)",
    status: "recommended",
    abilities: all("yes"),
    caveat: {
      en: "Not Alibaba's, as some guides say. New tags show after minutes.",
      "zh-CN": "不是阿里云的，有些文章写错了。新标签几分钟后可见。",
    },
    preset: { authoritative: false },
  },
  {
    name: "aliyun",
    url: "https://mirrors.aliyun.com/goproxy",
    operator: "Alibaba Cloud (阿里云)",
    status: "usable",
    abilities: { ...all("yes"), sumdb: "unknown", toolchain: "unknown" },
    caveat: {
      en: "Whether it relays the checksum database must be probed.",
      "zh-CN": "是否转发校验和数据库需探测。",
    },
    preset: { authoritative: false },
  },
  {
    name: "goproxy.io",
    url: "https://goproxy.io",
    operator: "GOPROXY.IO",
    status: "discouraged",
    abilities: all("unknown"),
    caveat: {
      en: "Said to be unmaintained; has served bytes that the database did not record.",
      "zh-CN": "据称已停止维护；曾发出与数据库记录不符的内容。",
    },
  },
  {
    name: "huaweicloud",
    url: "https://repo.huaweicloud.com/repository/goproxy",
    operator: "",
    status: "claimed",
    abilities: all("unknown"),
    caveat: {
      en: "Has answered 418 to go; its database relay was reported broken.",
      "zh-CN": "曾对 go 返回 418；有人报告其校验和数据库转发有故障。",
    },
  },
  {
    name: "goproxy.huaweicloud.com",
    url: "https://goproxy.huaweicloud.com",
    operator: "",
    status: "claimed",
    abilities: all("unknown"),
    caveat: { en: "Named by guides only.", "zh-CN": "只见于文章。" },
  },
  {
    name: "goproxy.qiniu.com",
    url: "https://goproxy.qiniu.com",
    operator: "",
    status: "claimed",
    abilities: all("unknown"),
    caveat: { en: "Named by guides only; Qiniu's is goproxy.cn.", "zh-CN": "只见于文章；七牛的是 goproxy.cn。" },
  },
  {
    name: "gocenter",
    url: "https://gocenter.io",
    operator: "JFrog",
    status: "dead",
    abilities: all("no"),
    caveat: { en: "Shut down on 2021-05-01.", "zh-CN": "已于 2021-05-01 关闭。" },
  },
];

/** The entry with this name or URL. */
export function findMirror(text: string): Mirror | undefined {
  const url = text.replace(/\/+$/, "");
  return registry.find((mirror) => mirror.name === text || mirror.url === url);
}

/** Those that may be recommended to somebody, the best first. */
export function goodMirrors(): readonly Mirror[] {
  return registry.filter(({ status }) => status === "recommended" || status === "usable");
}
