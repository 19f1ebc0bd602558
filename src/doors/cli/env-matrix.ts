// `granary env matrix`: what documents claim of go beside what go does, as two columns.

import { GranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import { topics, verdicts } from "#services/myths/myth.ts";
import { countVerdicts, selectMyths } from "#services/myths/select.ts";
import type { MythFilter, NamedMyth } from "#services/myths/select.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandSpec } from "./command.ts";
import { mythJson, signOf } from "./myths.ts";
import type { CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { padEnd, terminalColumns, wrap } from "./text.ts";

export const matrixCommand: CommandSpec = {
  name: "matrix",
  about: "command.env.matrix",
  example: "granary env matrix --about GOPROXY --verdict false",
  flags: [
    { flag: "--about TOPIC", about: "flag.about", isList: true },
    { flag: "--verdict VERDICT", about: "flag.verdict" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const filter = filterOf(call);
    const chosen = selectMyths(await context.services.myths(), filter);
    const { io } = context;
    if (call.options["json"] === true)
      printJson(context, "granary.env.matrix/1", {
        counts: countVerdicts(chosen),
        myths: chosen.map((one) => mythJson(one, io.lang)),
      });
    else io.stdout(matrixText(chosen, io));
    return exit.ok;
  },
};

function filterOf({ options }: Pick<Call, "options">): MythFilter {
  const asked = options["about"] as readonly string[] | undefined;
  const verdict = textOption({ options }, "verdict");
  return {
    about: asked?.map((topic) => oneOf("--about", topic, topics)),
    verdict: verdict === undefined ? undefined : oneOf("--verdict", verdict, verdicts),
  };
}

/** In any letter case: people write goproxy and SumDB. */
function oneOf<T extends string>(flag: string, value: string, all: readonly T[]): T {
  const found = all.find((one) => one.toLowerCase() === value.toLowerCase());
  if (found !== undefined) return found;
  const some = all.length > mostShown ? `${all.slice(0, mostShown).join(", ")}, … (docs/myths.md)` : all.join(", ");
  throw new GranaryError("GRANARY_BAD_FLAG", { flag, value, accepted: nearest(value, all) ?? some });
}

/** Of accepted values, on one line. */
const mostShown = 4;

/** Columns of the claim, and of what is so beside it. */
const indent = 2;
const claimColumns = 34;
const truthColumns = terminalColumns - indent - claimColumns - 2;

/** Each claim with its sign and code, beside what is so; below them the counts. */
export function matrixText(chosen: readonly NamedMyth[], io: Pick<CliIo, "lang" | "isUtf8">): string {
  const { lang } = io;
  if (chosen.length === 0) return `${say(lang, "matrix.none")}\n`;
  const head = beside([say(lang, "matrix.claimed")], [say(lang, "matrix.so")]);
  const rows = chosen.flatMap(({ code, myth }) => [
    "",
    `${signOf(myth.verdict, io)} ${code}`,
    ...beside(wrap(myth[lang].claim, claimColumns), wrap(myth[lang].truth, truthColumns)),
  ]);
  const found = countVerdicts(chosen);
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, count(found[verdict])]));
  const all = say(lang, "matrix.counts", {
    all: count(chosen.length),
    ...(counts as Record<(typeof verdicts)[number], string>),
  });
  return `${[...head, ...rows, "", all, say(lang, "matrix.more")].join("\n")}\n`;
}

/** Two texts side by side; where one has fewer lines, nothing stands. */
function beside(left: readonly string[], right: readonly string[]): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `${" ".repeat(indent)}${padEnd(left[i] ?? "", claimColumns)}  ${right[i] ?? ""}`.trimEnd(),
  );
}
