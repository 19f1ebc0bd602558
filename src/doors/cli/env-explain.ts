// `granary env explain` and `provenance`, once they run.

import { goCommands } from "#services/environment/commands.ts";
import { explain } from "#services/environment/explain.ts";
import { settingsOf } from "#services/environment/settings.ts";
import { printJson } from "./command.ts";
import type { Call } from "./command.ts";
import { explanationJson, provenanceJson } from "./env-json.ts";
import { goOption, moduleOf, wordOption } from "./env-options.ts";
import { explanationText, provenanceText } from "./env-print.ts";
import { exit } from "./services.ts";
import type { CliContext } from "./services.ts";

export async function runExplain(call: Call, context: CliContext): Promise<number> {
  const { surroundings, ports } = await context.services.environment();
  const { module, version } = moduleOf(call.args[0]);
  const command = wordOption(call, "command", goCommands) ?? "download";
  const explanation = explain(surroundings, { module, version, command, go: goOption(call) }, ports);
  if (call.options["json"] === true) printJson(context, "granary.env-explain/1", explanationJson(explanation));
  else context.io.stdout(explanationText(explanation, context.io.lang));
  return explanation.chain.kind === "refused" ? exit.findings : exit.ok;
}

export async function runProvenance(call: Call, context: CliContext): Promise<number> {
  const { surroundings } = await context.services.environment();
  const view = { settings: settingsOf(surroundings, goOption(call)), surroundings };
  if (call.options["json"] === true) printJson(context, "granary.env-provenance/1", provenanceJson(view));
  else context.io.stdout(provenanceText(view, context.io.lang));
  return exit.ok;
}
