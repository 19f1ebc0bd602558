// Settings that fit a place, as data. After `|` go asks the next entry whatever went wrong, after `,` only when this one
// says 404 or 410 (docs/fallback-table.md): mirrors of the same thing are joined by `|`, and `direct` stands behind a
// `,`, so that a mirror that is down does not send every module to its repository. Verification stays on everywhere.

import { officialProxyURL, sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import type { Lang } from "#services/errors/sentences.ts";

export const profileNames = [
  "personal",
  "cn",
  "cn-multi",
  "cn-aliyun",
  "global",
  "enterprise",
  "ci",
  "offline",
] as const;
export type ProfileName = (typeof profileNames)[number];

/** What the user adds: both as typed, the URL already known to be a GOPROXY entry. */
export type Given = { readonly proxy: string | undefined; readonly private: string | undefined };

/** What go is set to, by variable; an empty value takes the user's own away. */
export type Values = Readonly<Record<string, string>>;

export type Profile = {
  /** The chain cannot be written without --proxy. */
  readonly needsProxy: boolean;
  readonly values: (given: Given) => Values;
  /** Why it is so: shown beside the values. */
  readonly why: Readonly<Record<Lang, string>>;
};

const goproxyCn = "https://goproxy.cn";
const aliyun = "https://mirrors.aliyun.com/goproxy/";

/** Private modules come from their repositories, and no proxy and no database hears of them. */
function past({ private: patterns }: Given): Values {
  return patterns === undefined ? {} : { GOPRIVATE: patterns };
}

/** Private modules come through the company's proxy, which is the only one that hears of them. */
function through({ private: patterns }: Given): Values {
  return patterns === undefined ? {} : { GOPRIVATE: patterns, GONOPROXY: "none", GONOSUMDB: patterns };
}

const cn: Profile = {
  needsProxy: false,
  values: (given) => ({ GOPROXY: `${goproxyCn},direct`, GOSUMDB: sumdbName, ...past(given) }),
  why: {
    en: "One mirror that relays the checksum database. After `,` only what it does not have (404, 410) goes to the repository; when it is down, go stops: cn-multi goes on.",
    "zh-CN":
      "一个镜像，并转发校验和数据库。`,` 之后：只有镜像没有的（404、410）才去仓库；镜像不可用时 go 停止，cn-multi 会继续。",
  },
};

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  personal: cn,
  cn,
  "cn-multi": {
    needsProxy: false,
    values: (given) => ({ GOPROXY: `${goproxyCn}|${aliyun},direct`, GOSUMDB: sumdbName, ...past(given) }),
    why: {
      en: "Two mirrors with `|` between them: whatever is wrong with the first (timeout, 5xx, 403), the second is asked. `,` before direct: a mirror that is down does not send every module to its repository.",
      "zh-CN":
        "两个镜像之间用 `|`：第一个出任何错（超时、5xx、403）都会问第二个。direct 之前用 `,`：镜像不可用时，不会把所有模块都转向仓库。",
    },
  },
  "cn-aliyun": {
    needsProxy: false,
    values: (given) => ({
      GOPROXY: `${aliyun}|${officialProxyURL},direct`,
      GOSUMDB: sumdbMirrorChina,
      ...past(given),
    }),
    why: {
      en: "This mirror may not relay the checksum database, so go asks it at Go's own address for mainland China: the same database, the same key. The official proxy behind it is often out of reach there.",
      "zh-CN":
        "该镜像不一定转发校验和数据库，因此 go 直接访问 Go 官方的中国地址：同一数据库，同一公钥。其后的官方代理在中国大陆常常无法访问。",
    },
  },
  global: {
    needsProxy: false,
    values: (given) => ({ GOPROXY: `${officialProxyURL},direct`, GOSUMDB: sumdbName, ...past(given) }),
    why: {
      en: "Go's own default, written down: it wins over what a distribution put into $GOROOT/go.env.",
      "zh-CN": "Go 自己的默认值，明确写出：优先于发行版写入 $GOROOT/go.env 的值。",
    },
  },
  enterprise: {
    needsProxy: true,
    values: (given) =>
      given.private === undefined
        ? { GOPROXY: `${given.proxy ?? ""},${officialProxyURL},direct`, GOSUMDB: sumdbName }
        : { GOPROXY: given.proxy ?? "", GOSUMDB: sumdbName, ...through(given) },
    why: {
      en: "The company's proxy first. With --private it is the only one, so that no private name leaves the company: GONOPROXY=none sends private modules through it, GONOSUMDB keeps their names from the public database.",
      "zh-CN":
        "先问公司代理。使用 --private 时只有它一个，私有模块名不出公司：GONOPROXY=none 让私有模块走该代理，GONOSUMDB 使其名称不发往公共数据库。",
    },
  },
  ci: {
    needsProxy: true,
    values: (given) => ({ GOPROXY: given.proxy ?? "", GOSUMDB: sumdbName, ...through(given) }),
    why: {
      en: "One fixed source, named by you and never chosen by a measurement: the same build asks the same place tomorrow.",
      "zh-CN": "一个固定来源，由你指定，绝不按测速自动选择：明天的构建仍问同一处。",
    },
  },
  offline: {
    needsProxy: false,
    values: (given) => ({
      GOPROXY: given.proxy ?? "off",
      GOSUMDB: sumdbName,
      GOTOOLCHAIN: "local",
      ...through(given),
    }),
    why: {
      en: "Only what is in the module cache, or below --proxy (a file:// folder that Granary filled has the checksum database in it). GOTOOLCHAIN=local: no other Go is fetched.",
      "zh-CN":
        "只用模块缓存，或 --proxy 指定的来源（Granary 生成的 file:// 目录包含校验和数据库）。GOTOOLCHAIN=local：不下载其他 Go。",
    },
  },
};

export function isProfileName(text: string): text is ProfileName {
  return (profileNames as readonly string[]).includes(text);
}

/** Patterns as go reads them: it trims no blanks, so that `a, b` never matches b. */
export function tidyPatterns(text: string): string {
  return text
    .split(",")
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "")
    .join(",");
}
