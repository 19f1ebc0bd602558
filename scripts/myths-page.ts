// docs/myths.md: every claim with its verdict, in both languages, and what shows it.

import { matrixText } from "#doors/cli/env-matrix.ts";
import { say } from "#services/errors/say.ts";
import { langs } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { articles, rowCounts } from "#services/myths/articles.ts";
import { myths } from "#services/myths/catalogue.ts";
import { topics } from "#services/myths/myth.ts";
import type { Article } from "#services/myths/myth.ts";
import { countVerdicts, selectMyths } from "#services/myths/select.ts";
import type { NamedMyth } from "#services/myths/select.ts";

/** @param note says that the page is generated */
export function mythsPage(note: string): string {
  const found = countVerdicts(myths);
  const groups = Object.keys(rowCounts) as (keyof typeof rowCounts)[];
  return [
    "# What do documents claim of go that is not so? · 文档里有哪些说法并不属实？",
    note,
    `Of ${myths.length} claims in five Chinese articles, ${found.false} are false, ${found.partly} partly true, ${found.true} true; ${found.unverifiable} are about services, of which go cannot tell. Those about go are shown with real go commands in CI, by the tests named here (test/go). With LONG=1 claims about a version are tried with the versions they are about.`,
    `五篇中文文章中的 ${myths.length} 条说法：${found.false} 条错误，${found.partly} 条部分正确，${found.true} 条正确；${found.unverifiable} 条说的是某个服务，go 无法判定。凡与 go 有关的，都在 CI 中用真实的 go 命令证明，测试名列在各条之下（test/go）。`,
    ...langs.map(screen),
    "`granary env matrix` prints all of them, `granary explain MYTH_FALLBACK_ON_ANY_ERROR` one in full; both take `--json`.",
    `\`--about\` takes ${topics.map((topic) => `\`${topic}\``).join(", ")}.`,
    Object.entries(articles)
      .map(([article, names]) => `- **${article}**: ${names.en} · ${names["zh-CN"]}`)
      .join("\n"),
    ...groups.flatMap((group) => [
      `## ${titleOf(group)}`,
      ...myths.filter(({ myth }) => myth.row.startsWith(`${group}-`)).map(section),
    ]),
  ].join("\n\n");
}

/** What the command prints of a few. */
function screen(lang: Lang): string {
  const command = `$ granary ${lang === "en" ? "" : `--lang ${lang} `}env matrix --about timeout`;
  const text = matrixText(selectMyths(myths, { about: ["timeout"] }), { lang, isUtf8: true });
  return [command, ...text.trimEnd().split("\n")].map((line) => `    ${line}`.trimEnd()).join("\n");
}

function titleOf(group: Article | "common"): string {
  return group === "common" ? "The costliest ones · 影响最大的几条" : `${group} · ${articles[group]["zh-CN"]}`;
}

function section({ code, myth, proof }: NamedMyth): string {
  const verdict = langs.map((lang) => say(lang, "myth.verdict", { verdict: myth.verdict })).join(" · ");
  const shown =
    "tests" in proof
      ? proof.tests.map((title) => `- test/go: \`${title}\``).join("\n")
      : langs.map((lang) => `- ${say(lang, "myth.unshown", proof)}`).join("\n");
  return [
    `### ${code}`,
    `**${verdict}** · ${[myth.said.join(", "), ...myth.about].join(" · ")}`,
    ...langs.map((lang) => wordsOf(myth, lang)),
    shown,
  ].join("\n\n");
}

function wordsOf(myth: NamedMyth["myth"], lang: Lang): string {
  const words = myth[lang];
  const colon = lang === "en" ? "." : "：";
  const line = (key: "myth.claim" | "myth.truth" | "myth.probe", text: string): string =>
    `**${say(lang, key)}${colon}** ${text.replaceAll(/[*~]/g, "\\$&")}`;
  return [
    line("myth.claim", words.claim),
    line("myth.truth", words.truth),
    ...("probe" in words ? [line("myth.probe", words.probe)] : []),
  ].join("\n");
}
