// One myth as people read it, and as JSON.

import { say } from "#services/errors/say.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { articles } from "#services/myths/articles.ts";
import type { Verdict } from "#services/myths/myth.ts";
import type { NamedMyth } from "#services/myths/select.ts";
import type { CliIo } from "./services.ts";
import { mark, terminalColumns, wrap } from "./text.ts";

const markOf = { false: "fail", partly: "warn", true: "ok", unverifiable: "skip" } as const satisfies Readonly<
  Record<Verdict, string>
>;

export function signOf(verdict: Verdict, { isUtf8 }: Pick<CliIo, "isUtf8">): string {
  return mark(markOf[verdict], isUtf8);
}

/** The whole of it: who claims what, what is so, what to ask where go cannot tell, which test shows it. */
export function mythText({ code, myth, proof }: NamedMyth, io: Pick<CliIo, "lang" | "isUtf8">): string {
  const { lang } = io;
  const words = myth[lang];
  const shown = "tests" in proof ? proof.tests.map((title) => `test/go: ${title}`) : [say(lang, "myth.unshown", proof)];
  const parts: readonly (readonly [string, readonly string[]])[] = [
    [say(lang, "myth.claim"), [words.claim, ...myth.said.map((article) => `${article}: ${articles[article][lang]}`)]],
    [say(lang, "myth.truth"), [words.truth]],
    ...("probe" in words ? [[say(lang, "myth.probe"), [words.probe]] as const] : []),
    [say(lang, "myth.shown"), shown],
    [say(lang, "myth.about"), [myth.about.join(", ")]],
  ];
  const lines = parts.flatMap(([title, texts]) => [
    "",
    title,
    ...texts.flatMap((text) => wrap(text, terminalColumns - 2).map((line) => `  ${line}`)),
  ]);
  const verdict = `${signOf(myth.verdict, io)} ${say(lang, "myth.verdict", { verdict: myth.verdict })}`;
  return `${[code, verdict, ...lines, "", `docs/${pageOf(code)}`].join("\n")}\n`;
}

/** What scripts read of it; the same data as the text. */
export function mythJson({ code, myth, proof }: NamedMyth, lang: Lang): object {
  const { row, said, verdict, about } = myth;
  return { code, row, said, verdict, about, ...myth[lang], proof, page: `docs/${pageOf(code)}` };
}

function pageOf(code: string): string {
  return `myths.md#${code.toLowerCase()}`;
}
