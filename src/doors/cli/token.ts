import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { jsonFlag, printJson, whichStore } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import { harmless, table } from "./text.ts";

const add: CommandSpec = {
  name: "add",
  about: "command.token.add",
  example: "granary token add --scope read --note ci",
  settings: whichStore,
  flags: [{ flag: "--scope SCOPE", about: "flag.scope" }, { flag: "--note TEXT", about: "flag.note" }, jsonFlag],
  run: async ({ options, settings }, context) => {
    const { io, services } = context;
    const scope = options["scope"] ?? "read";
    if (scope !== "read" && scope !== "write")
      throw new GranaryError("GRANARY_BAD_FLAG", {
        flag: "--scope",
        value: typeof scope === "string" ? scope : "",
        accepted: "read | write",
      });
    const note = typeof options["note"] === "string" ? options["note"] : "";
    const { text, info } = await services.tokenAdd({ scope, note }, settings);
    if (options["json"] === true) printJson(context, "granary.token/1", { token: text, ...info });
    else io.stdout(`${say(io.lang, "token.added", { id: info.id, scope, text })}\n`);
    return exit.ok;
  },
};

const list: CommandSpec = {
  name: "list",
  about: "command.token.list",
  example: "granary token list",
  settings: whichStore,
  flags: [jsonFlag],
  run: async ({ options, settings }, context) => {
    const tokens = await context.services.tokenList(settings);
    const { io } = context;
    if (options["json"] === true) printJson(context, "granary.tokens/1", { tokens });
    else if (tokens.length === 0) io.stdout(`${say(io.lang, "token.none")}\n`);
    else io.stdout(table(tokens.map(({ id, scope, created, note }) => [id, scope, created, note].map(harmless))));
    return exit.ok;
  },
};

const revoke: CommandSpec = {
  name: "revoke",
  about: "command.token.revoke",
  example: "granary token revoke 1f2e3d4c",
  args: ["ID"],
  settings: whichStore,
  run: async ({ args, settings }, { io, services }) => {
    const id = args[0] ?? "";
    await services.tokenRevoke(id, settings);
    io.stdout(`${say(io.lang, "token.revoked", { id: harmless(id) })}\n`);
    return exit.ok;
  },
};

export const tokenCommand: CommandSpec = {
  name: "token",
  about: "command.token",
  example: "granary token add --scope read",
  commands: [add, list, revoke],
};
