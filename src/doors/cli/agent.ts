// `granary agent`: a certificate or a token for go, which has no way to present either to a checksum database.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { Call, CommandFlag, CommandSpec } from "./command.ts";
import { exit } from "./services.ts";
import type { AgentRequest, CliContext } from "./services.ts";

const defaultListen = "127.0.0.1:3128";

const flags: readonly CommandFlag[] = [
  { flag: "--listen HOST:PORT", about: "flag.agent-listen", group: "server" },
  { flag: "--url URL", about: "flag.agent-url", group: "server" },
  { flag: "--cert FILE", about: "flag.agent-cert", group: "tls" },
  { flag: "--key FILE", about: "flag.agent-key", group: "tls" },
  { flag: "--token-file FILE", about: "flag.agent-token-file", group: "tls" },
  { flag: "--ca FILE", about: "flag.agent-ca", group: "tls" },
  { flag: "--expose", about: "flag.agent-expose", group: "server" },
];

function requestOf({ options }: Call, { io }: CliContext, usage: string): AgentRequest {
  const given = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  const url = given("url");
  if (url === undefined)
    throw new GranaryError("GRANARY_BAD_USAGE", {
      reason: say(io.lang, "usage.missing", { argument: "--url" }),
      usage,
    });
  return {
    listen: given("listen") ?? defaultListen,
    url,
    cert: given("cert"),
    key: given("key"),
    ca: given("ca"),
    tokenFile: given("tokenFile"),
    exposed: options["expose"] === true,
  };
}

const setup: CommandSpec = {
  name: "setup",
  about: "command.agent.setup",
  example: "granary agent setup --url https://proxy.corp.example --install",
  flags: [...flags, { flag: "--install", about: "flag.agent-install" }, jsonFlag],
  run: async (call, context) => {
    const request = requestOf(call, context, "granary agent setup --url URL [--install]");
    const made = await context.services.agentSetup(request, call.options["install"] === true);
    if (call.options["json"] === true) printJson(context, "granary.agent.setup/1", made);
    else context.io.stdout(`${say(context.io.lang, "agent.setup", made)}\n`);
    return exit.ok;
  },
};

export const agentCommand: CommandSpec = {
  name: "agent",
  about: "command.agent",
  example: "granary agent --url https://proxy.corp.example --cert me.crt --key me.key",
  flags,
  commands: [setup],
  run: (call, context) =>
    context.services.agent(requestOf(call, context, "granary agent --url URL [--cert FILE --key FILE]")),
};
