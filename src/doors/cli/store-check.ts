// Trying what the store needs of its disk or its bucket, before somebody depends on it.

import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { findingJson, findingsText } from "./findings.ts";
import type { CliIo, StoreCheckView } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark } from "./text.ts";

export const checkCommand: CommandSpec = {
  name: "check",
  about: "command.store.check",
  example: "granary store check --s3 builds/granary",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io } = context;
    const view = await context.services.storeCheck(settings);
    if (options["json"] === true) {
      const findings = view.findings.map((finding) => findingJson(finding, io));
      printJson(context, "granary.store.check/1", { ...view, findings });
    } else io.stdout(inWords(view, io));
    return badOf(view).length === 0 ? exit.ok : exit.findings;
  },
};

function inWords(view: StoreCheckView, io: CliIo): string {
  const { lang, isUtf8 } = io;
  const bad = badOf(view).length;
  const lines = [
    say(lang, "storecheck.place", { kind: view.kind, where: harmless(view.where) }),
    ...view.passed.map((what) => `${mark("ok", isUtf8)} ${say(lang, "storecheck.passed", { what })}`),
  ];
  const end = bad === 0 ? say(lang, "storecheck.sound") : say(lang, "storecheck.found", { count: count(bad) });
  return `${lines.join("\n")}\n${findingsText(view.findings, io)}${end}\n`;
}

/** What is only worth knowing is nothing that has to be mended. */
function badOf({ findings }: StoreCheckView): readonly unknown[] {
  return findings.filter(({ severity }) => severity !== "info");
}
