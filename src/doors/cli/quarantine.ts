import { say } from "#services/errors/say.ts";
import { bytes } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, textOption, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import type { QuarantinedItem } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const list: CommandSpec = {
  name: "list",
  about: "command.quarantine.list",
  example: "granary store quarantine list",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const items = await context.services.quarantineList(settings);
    const { io } = context;
    if (options["json"] === true) printJson(context, "granary.quarantine/1", { items });
    else if (items.length === 0) io.stdout(`${say(io.lang, "quarantine.none")}\n`);
    else io.stdout(table([say(io.lang, "quarantine.columns").split("\t"), ...items.map(toRow)]));
    return exit.ok;
  },
};

function toRow({ id, module, version, upstream, bytes: size, at, reason }: QuarantinedItem): string[] {
  return [id, `${module}@${version}`, upstream, bytes(size), at, reason].map(harmless);
}

const show: CommandSpec = {
  name: "show",
  about: "command.quarantine.show",
  example: "granary store quarantine show 7f3c21",
  args: ["ID"],
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ args, options, settings }, context) => {
    const item = await context.services.quarantineShow(args[0] ?? "", settings);
    if (options["json"] === true) printJson(context, "granary.quarantine/1", { items: [item] });
    else context.io.stdout(table(Object.entries(item).map(([name, value]) => [name, harmless(String(value))])));
    return exit.ok;
  },
};

const release: CommandSpec = {
  name: "release",
  about: "command.quarantine.release",
  example: "granary store quarantine release 7f3c21",
  args: ["ID"],
  settings: "all",
  run: async ({ args, settings }, { io, services }) => {
    const { module, version } = await services.quarantineRelease(args[0] ?? "", settings);
    io.stdout(`${say(io.lang, "quarantine.released", { what: `${module}@${version}` })}\n`);
    return exit.ok;
  },
};

const hold: CommandSpec = {
  name: "hold",
  about: "command.quarantine.hold",
  example: "granary store quarantine hold example.com/m@v1.2.0 --reason 'stolen key'",
  args: ["MODULE@VERSION"],
  settings: whichStore,
  flags: [{ flag: "--reason TEXT", about: "flag.reason" }],
  run: async ({ args, options, settings }, { io, services }) => {
    const [what = ""] = args;
    const isNew = await services.hold(what, textOption({ options }, "reason") ?? "", settings);
    io.stdout(`${say(io.lang, "held.done", { what: harmless(what), isNew })}\n`);
    return exit.ok;
  },
};

const free: CommandSpec = {
  name: "free",
  about: "command.quarantine.free",
  example: "granary store quarantine free example.com/m@v1.2.0",
  args: ["MODULE@VERSION"],
  settings: whichStore,
  run: async ({ args, settings }, { io, services }) => {
    const [what = ""] = args;
    await services.free(what, settings);
    io.stdout(`${say(io.lang, "held.freed", { what: harmless(what) })}\n`);
    return exit.ok;
  },
};

const held: CommandSpec = {
  name: "held",
  about: "command.quarantine.held",
  example: "granary store quarantine held",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const versions = await context.services.heldList(settings);
    const { io } = context;
    const rows = versions.map(({ module, version, since, reason }) =>
      [`${module}@${version}`, since, reason].map(harmless),
    );
    if (options["json"] === true) printJson(context, "granary.held/1", { versions });
    else if (rows.length === 0) io.stdout(`${say(io.lang, "held.none")}\n`);
    else io.stdout(table([say(io.lang, "held.columns").split("\t"), ...rows]));
    return exit.ok;
  },
};

export const quarantineCommand: CommandSpec = {
  name: "quarantine",
  about: "command.quarantine",
  example: "granary store quarantine list",
  commands: [list, show, release, hold, free, held],
};
