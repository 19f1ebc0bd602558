// Forks of checksum databases: which were seen, and what a person decides about them.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const alarms: CommandSpec = {
  name: "alarms",
  about: "command.sumdb.alarms",
  example: "granary sumdb alarms",
  settings: [...whichStore, "sumdb"],
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const items = await services.sumdbAlarms(settings);
    if (options["json"] === true) printJson(context, "granary.sumdb.alarms/1", { items });
    else if (items.length === 0) io.stdout(`${say(io.lang, "sumdb.alarms.none")}\n`);
    else {
      const open = say(io.lang, "sumdb.alarms.open");
      const rows = items.map(({ id, database, evidence, decision }) =>
        [id.slice(0, 12), database, decision?.reason ?? open, evidence].map(harmless),
      );
      io.stdout(table([say(io.lang, "sumdb.alarms.columns").split("\t"), ...rows]));
    }
    return items.some(({ decision }) => decision === undefined) ? exit.findings : exit.ok;
  },
};

const resume: CommandSpec = {
  name: "resume",
  about: "command.sumdb.resume",
  example: 'granary sumdb resume 7f3c21ab90de --reason "b was restored"',
  args: ["ID"],
  settings: [...whichStore, "sumdb"],
  flags: [{ flag: "--reason TEXT", about: "flag.sumdb-reason" }],
  run: async ({ args, options, settings }, { io, services }) => {
    const reason = options["reason"];
    if (typeof reason !== "string" || reason.trim() === "")
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: "--reason" }),
        usage: "granary sumdb resume ID --reason TEXT",
      });
    const { database, id } = await services.sumdbResume({ id: args[0] ?? "", reason }, settings);
    io.stdout(`${say(io.lang, "sumdb.resumed", { database, id: id.slice(0, 12) })}\n`);
    return exit.ok;
  },
};

export const alarmCommands: readonly CommandSpec[] = [alarms, resume];
