// The five articles whose claims are judged here, and how many claims each list has.

import type { Lang } from "#services/errors/sentences.ts";
import type { Article } from "./myth.ts";

/** What each is about; their own titles are Chinese. */
export const articles: Readonly<Record<Article, Readonly<Record<Lang, string>>>> = {
  S0: { en: "on set-ups of go that fail in China", "zh-CN": "《Go 开发环境国内部署失败？》" },
  S1: { en: "on configuring a proxy for go", "zh-CN": "《配置 go 环境代理》" },
  S2: { en: "on seven cures for `go get` timeouts", "zh-CN": "《解决 go get timeout 的 7 种方案》" },
  S3: { en: "a checklist for a proxy that has no effect", "zh-CN": "《mod proxy 配置失效排查清单》" },
  S4: { en: "on mirrors in place of the official proxy", "zh-CN": "《GOPROXY 官方源不稳定》" },
};

/** Rows of each list: every one of them has its myth. */
export const rowCounts: Readonly<Record<Article | "common", number>> = {
  common: 10,
  S0: 18,
  S1: 16,
  S2: 23,
  S3: 17,
  S4: 13,
};
