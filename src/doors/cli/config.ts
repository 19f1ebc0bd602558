import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import type { ShownSetting } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const print: CommandSpec = {
  name: "print",
  about: "command.config.print",
  example: "granary config print --origin",
  settings: "all",
  flags: [{ flag: "--origin", about: "flag.origin" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const shown = await context.services.showConfig(settings);
    if (options["json"] === true) printJson(context, "granary.config/1", { settings: shown });
    // The value stands last: a list of upstreams may be long.
    else context.io.stdout(table(shown.map((setting) => toRow(setting, options["origin"] === true))));
    return exit.ok;
  },
};

function toRow({ key, value, origin }: ShownSetting, withOrigin: boolean): string[] {
  return [key, ...(withOrigin ? [origin] : []), value].map(harmless);
}

export const configCommand: CommandSpec = {
  name: "config",
  about: "command.config",
  example: "granary config print --origin",
  commands: [print],
};
