import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const list: CommandSpec = {
  name: "list",
  about: "command.hashes.list",
  example: "granary store hashes list",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const hashes = await context.services.hashesList(settings);
    const { io } = context;
    if (options["json"] === true) printJson(context, "granary.hashes/1", { hashes });
    else if (hashes.length === 0) io.stdout(`${say(io.lang, "hashes.none")}\n`);
    else
      io.stdout(
        table(hashes.map(({ module, version, kind, hash }) => [`${module}@${version}`, kind, hash].map(harmless))),
      );
    return exit.ok;
  },
};

const forget: CommandSpec = {
  name: "forget",
  about: "command.hashes.forget",
  example: "granary store hashes forget git.corp.example/m@v1.2.0",
  args: ["MODULE@VERSION"],
  settings: whichStore,
  run: async ({ args, settings }, { io, services }) => {
    const what = args[0] ?? "";
    const forgotten = await services.hashesForget(what, settings);
    io.stdout(`${say(io.lang, "hashes.forgotten", { what: harmless(what), count: count(forgotten.length) })}\n`);
    return exit.ok;
  },
};

const repacked: CommandSpec = {
  name: "repacked",
  about: "command.hashes.repacked",
  example: "granary store hashes repacked git.corp.example/m@v1.2.0",
  args: ["MODULE@VERSION"],
  settings: whichStore,
  run: async ({ args, settings }, { io, services }) => {
    const what = args[0] ?? "";
    await services.hashesRepacked(what, settings);
    io.stdout(`${say(io.lang, "hashes.repacked", { what: harmless(what) })}\n`);
    return exit.ok;
  },
};

export const hashesCommand: CommandSpec = {
  name: "hashes",
  about: "command.hashes",
  example: "granary store hashes list",
  commands: [list, forget, repacked],
};
