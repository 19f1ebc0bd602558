// `granary env shell`: a shell, or one command, with the project's variables: what direnv does, without direnv.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import { harmless } from "./text.ts";

export const envShellCommand: CommandSpec = {
  name: "shell",
  about: "command.env.shell",
  example: "granary env shell -- go build ./...",
  args: ["[COMMAND...]"],
  flags: [
    { flag: "--dir DIR", about: "flag.env-dir" },
    { flag: "--shell PROGRAM", about: "flag.env-shell-program" },
    { flag: "--dry-run", about: "flag.dry-run" },
    jsonFlag,
  ],
  run: async (call, context) => {
    const { io } = context;
    const setup = await context.services.envSetup();
    const program = textOption(call, "shell");
    if (program !== undefined && call.args.length > 0)
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "env-shell.either"),
        usage: "granary env shell [--shell PROGRAM | -- COMMAND…]",
      });
    const dir = textOption(call, "dir") ?? ".";
    const plan = await setup.planShell({ dir, command: call.args, shell: program });
    const shown = Object.entries(plan.values).map(([name, value]) => `${name}=${withoutCredentials(value)}`);
    if (call.options["json"] === true) {
      printJson(context, "granary.env-shell/1", { command: plan.command, values: shown, unknown: plan.unknown });
      return exit.ok;
    }
    // Standard output belongs to the command.
    for (const line of shown) io.stderr(`${harmless(line)}\n`);
    for (const { name, file, line } of plan.unknown)
      io.stderr(`${harmless(say(io.lang, "env-shell.left-out", { name, place: `${file}:${line}` }))}\n`);
    for (const each of plan.overridden) io.stderr(`${harmless(say(io.lang, "env-shell.overridden", each))}\n`);
    if (shown.length === 0) io.stderr(`${say(io.lang, "env-check.none")}\n`);
    if (call.options["dryRun"] === true) return exit.ok;
    if (call.args.length === 0) io.stderr(`${say(io.lang, "env-shell.leave", { shell: plan.command[0] ?? "" })}\n`);
    return await setup.shell(plan);
  },
};
