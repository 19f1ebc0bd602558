// Mirrors: what they are, and whether they give what everybody else gets.

import { kind } from "./finding.ts";
import type { Area } from "./finding.ts";

type What = { readonly what: string };
type Said = What & { readonly said: string };

export const mirrorsFindings = {
  MIRROR_POLLUTED: kind<What & { readonly names: string; readonly database: string }>(
    "fail",
    "mirrors.md#what-decides",
    {
      en: {
        title: ({ what, names, database }) => `${names} does not give what ${database} recorded of ${what}`,
        why: "The hash of the content differs from a proven record. It is broken, stale after a moved tag, or tampered with; go refuses it wherever verification is on.",
        advice: "Do not use the mirror for this version, and tell its operator. Leave GOSUMDB as it is.",
      },
      "zh-CN": {
        title: ({ what, names, database }) => `${names} 给出的 ${what} 与 ${database} 的记录不符`,
        why: "内容的哈希与已证明的记录不同。可能是损坏、标签移动后未更新，或被篡改；只要校验开着，go 就会拒绝它。",
        advice: "此版本不要用该镜像，并告知其运营者。GOSUMDB 保持不变。",
      },
    },
  ),
  MIRROR_DIFFERS: kind<What>("fail", "mirrors.md#what-decides", {
    en: {
      title: ({ what }) => `The mirrors give different content for ${what}, and no database decides`,
      why: "Two contents of one version cannot both be right, and no proven record says which one is.",
      advice: "Ask again where a checksum database can be reached.",
    },
    "zh-CN": {
      title: ({ what }) => `各镜像的 ${what} 内容不同，且没有数据库可以裁定`,
      why: "同一版本的两种内容不可能都对，而没有已证明的记录说明哪个对。",
      advice: "在能访问校验和数据库的地方再查一次。",
    },
  }),
  MIRROR_STATUS_DIFFERS: kind<Said>("warn", "mirrors.md#the-rules", {
    en: {
      title: ({ what, said }) => `Not all mirrors have ${what}: ${said}`,
      why: "A mirror that lacks a version others have is behind, blocks it, or cannot be reached.",
      advice: "In GOPROXY put one that has it before it, or `|` after it.",
    },
    "zh-CN": {
      title: ({ what, said }) => `并非所有镜像都有 ${what}：${said}`,
      why: "别人有而它没有：滞后、被拦截，或不可达。",
      advice: "在 GOPROXY 中把有的放在它前面，或在它后面用 `|`。",
    },
  }),
  MIRROR_BEHIND: kind<Said>("info", "mirrors.md#the-rules", {
    en: {
      title: ({ what, said }) => `Last-Modified of ${what} is more than 30 min apart: ${said}`,
      why: "Each mirror notes when it fetched the file itself, so the times say who was first and no more.",
    },
    "zh-CN": {
      title: ({ what, said }) => `${what} 的 Last-Modified 相差超过 30 分钟：${said}`,
      why: "各镜像记录的是自己获取的时间，只能说明先后。",
    },
  }),
  MIRROR_DISCOURAGED: kind<{ readonly name: string }>("warn", "mirrors.md#the-registry", {
    en: {
      title: ({ name }) => `${name} is not recommended`,
      why: "Its registry entry says why; the ones that are recommended do the same better.",
      advice: "`granary mirrors list` shows them.",
    },
    "zh-CN": {
      title: ({ name }) => `不推荐使用 ${name}`,
      why: "登记表中写明了原因；推荐的镜像做得更好。",
      advice: "`granary mirrors list` 会列出它们。",
    },
  }),
  MIRROR_CLAIMED: kind<{ readonly name: string }>("info", "mirrors.md#the-registry", {
    en: {
      title: ({ name }) => `Nobody vouches for ${name}: only guides name it`,
      why: "No operator publishes the address as a module proxy. Content is still proven by the checksum database.",
      advice: "`granary mirrors list --probe` says whether it is one.",
    },
    "zh-CN": {
      title: ({ name }) => `没有运营者认领 ${name}：只有文章提到它`,
      why: "没有运营者公布该地址是模块代理。内容仍由校验和数据库证明。",
      advice: "`granary mirrors list --probe` 可以看出它是不是。",
    },
  }),
  MIRROR_DEAD: kind<{ readonly name: string }>("fail", "mirrors.md#the-registry", {
    en: {
      title: ({ name }) => `${name} was shut down`,
      why: "Its operator ended the service. As an entry of GOPROXY it costs a timeout, and after a comma it ends the search.",
      advice: "Take it out of GOPROXY.",
    },
    "zh-CN": {
      title: ({ name }) => `${name} 已关闭`,
      why: "运营者已终止服务。写在 GOPROXY 里要等超时，其后若是逗号，查找就到此为止。",
      advice: "从 GOPROXY 中去掉它。",
    },
  }),
  MIRROR_NOT_A_PROXY: kind<{ readonly name: string; readonly said: string }>("warn", "mirrors.md#the-probe", {
    en: {
      title: ({ name, said }) => `${name} does not answer as a module proxy (${said})`,
      why: "It was asked for a small module that every proxy has.",
    },
    "zh-CN": {
      title: ({ name, said }) => `${name} 的回答不像模块代理（${said}）`,
      why: "问的是每个代理都有的一个小模块。",
    },
  }),
  MIRROR_OTHER_CONTENT: kind<{ readonly name: string }>("fail", "mirrors.md#the-probe", {
    en: {
      title: ({ name }) => `${name} gives other content than everybody else`,
      why: "The hash of a module that has not changed since 2018 is not what it has always been.",
      advice: "Do not use it, and leave GOSUMDB as it is.",
    },
    "zh-CN": {
      title: ({ name }) => `${name} 给出的内容与众不同`,
      why: "一个自 2018 年起未变的模块，其哈希与一直以来的不同。",
      advice: "不要使用它；GOSUMDB 保持不变。",
    },
  }),
} as const satisfies Area;
