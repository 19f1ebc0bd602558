// Commands of an own checksum database: its key, what clients set, and whether all of it is sound.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import { harmless } from "./text.ts";

const keygen: CommandSpec = {
  name: "keygen",
  about: "command.sumdb.keygen",
  example: "granary sumdb keygen --name sum.corp.example --out sumlog.key",
  flags: [
    { flag: "--name NAME", about: "flag.sumlog-name" },
    { flag: "--out FILE", about: "flag.sumlog-out" },
    jsonFlag,
  ],
  run: async ({ options }, context) => {
    const { io, services } = context;
    const [name, out] = [options["name"], options["out"]];
    if (typeof name !== "string" || typeof out !== "string")
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: typeof name === "string" ? "--out" : "--name" }),
        usage: "granary sumdb keygen --name HOST[/PATH] --out FILE",
      });
    const made = await services.sumdbKeygen({ name, out });
    if (options["json"] === true) printJson(context, "granary.sumdb.key/1", made);
    else io.stdout(`${say(io.lang, "sumdb.key", made)}\n`);
    return exit.ok;
  },
};

const clientConfig: CommandSpec = {
  name: "client-config",
  about: "command.sumdb.client-config",
  example: "granary sumdb client-config --sumlog-key sumlog.key",
  settings: ["listen", "sumlog.key", "private"],
  flags: [{ flag: "--url URL", about: "flag.sumdb-url" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const url = typeof options["url"] === "string" ? options["url"] : undefined;
    const config = await services.sumdbClientConfig(url, settings);
    if (options["json"] === true) printJson(context, "granary.sumdb.client/1", config);
    else io.stdout(`${say(io.lang, "sumdb.client", config)}\n`);
    return exit.ok;
  },
};

const fsck: CommandSpec = {
  name: "fsck",
  about: "command.sumdb.fsck",
  example: "granary sumdb fsck --sumlog-key sumlog.key",
  settings: [...whichStore, "sumlog.key"],
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const report = await services.sumdbFsck(settings);
    if (options["json"] === true) printJson(context, "granary.sumdb.fsck/1", report);
    else {
      const { name, size, tiles, problems } = report;
      for (const problem of problems) io.stdout(`${harmless(problem)}\n`);
      io.stdout(
        `${say(io.lang, "sumdb.fsck", { name, size: count(size), tiles: count(tiles), problems: problems.length })}\n`,
      );
    }
    return report.problems.length === 0 ? exit.ok : exit.findings;
  },
};

export const ownSumdbCommands: readonly CommandSpec[] = [keygen, clientConfig, fsck];
