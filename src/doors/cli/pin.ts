import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { jsonFlag, printJson, textOption, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const add: CommandSpec = {
  name: "add",
  about: "command.pin.add",
  example: "granary pin add --from go.sum",
  args: ["[MODULE@VERSION|PATTERN]"],
  settings: whichStore,
  flags: [{ flag: "--from FILE", about: "flag.pin-from" }, jsonFlag],
  run: async ({ args, options, settings }, context) => {
    const from = textOption({ options }, "from");
    if ((args[0] === undefined) === (from === undefined))
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: "either --from or one thing to pin is needed",
        usage: "granary pin add --from go.sum | MODULE@VERSION | PATTERN",
      });
    const pin = await context.services.pinAdd({ what: args[0], from }, settings);
    const { io } = context;
    if (options["json"] === true) printJson(context, "granary.pin/1", pin);
    else {
      const { id, versions } = pin;
      io.stdout(`${say(io.lang, "pin.added", { id, from: harmless(pin.from), versions: count(versions.length) })}\n`);
    }
    return exit.ok;
  },
};

const list: CommandSpec = {
  name: "list",
  about: "command.pin.list",
  example: "granary pin list",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const pins = await context.services.pinList(settings);
    const { io } = context;
    if (options["json"] === true) printJson(context, "granary.pins/1", { pins });
    else if (pins.length === 0) io.stdout(`${say(io.lang, "pin.none")}\n`);
    else {
      const rows = pins.map(({ id, from, since, versions, patterns }) => [
        id,
        since.slice(0, 10),
        patterns.length > 0 ? say(io.lang, "pin.pattern") : count(versions.length),
        harmless(from),
      ]);
      io.stdout(table([say(io.lang, "pin.columns").split("\t"), ...rows]));
    }
    return exit.ok;
  },
};

const remove: CommandSpec = {
  name: "remove",
  about: "command.pin.remove",
  example: "granary pin remove 1f2e3d4c",
  args: ["ID"],
  settings: whichStore,
  run: async ({ args, settings }, { io, services }) => {
    const id = args[0] ?? "";
    await services.pinRemove(id, settings);
    io.stdout(`${say(io.lang, "pin.removed", { id })}\n`);
    return exit.ok;
  },
};

export const pinCommand: CommandSpec = {
  name: "pin",
  about: "command.pin",
  example: "granary pin list",
  commands: [add, list, remove],
};
