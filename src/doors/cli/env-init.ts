// `granary env init`: the files that say which Go and which proxies a project wants.

import { hookOf } from "#services/environment/direnv.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { sumdbName } from "#protocol/official.ts";
import { textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import { changeFlags, proxyOption } from "./env-apply.ts";
import { carryOut } from "./env-change.ts";

export const envInitCommand: CommandSpec = {
  name: "init",
  about: "command.env.init",
  example: "granary env init --direnv --go 1.26.8 --proxy 'https://goproxy.cn,direct'",
  flags: [
    { flag: "--direnv", about: "flag.env-direnv" },
    { flag: "--go VERSION", about: "flag.env-go" },
    { flag: "--proxy LIST", about: "flag.env-proxy" },
    { flag: "--dir DIR", about: "flag.env-dir" },
    ...changeFlags,
  ],
  run: async (call, context) => {
    const { io } = context;
    const setup = await context.services.envSetup();
    const isForDirenv = call.options["direnv"] === true;
    const go = versionOption(textOption(call, "go"));
    const proxy = proxyOption(call);
    if (go === undefined && !isForDirenv)
      throw new GranaryError("GRANARY_BAD_USAGE", {
        reason: say(io.lang, "usage.missing", { argument: "--go" }),
        usage: "granary env init --direnv --go 1.26.8 --proxy URL",
      });
    const values = { ...(proxy !== undefined && { GOPROXY: proxy }), GOSUMDB: sumdbName };
    const plan = await setup.planInit({ dir: textOption(call, "dir") ?? ".", go, values, isForDirenv });
    const hook = isForDirenv ? hookOf(io.shell) : undefined;
    const notes = hook === undefined ? [] : [`${say(io.lang, "env.hook", hook)}\n${say(io.lang, "env-init.next")}`];
    const code = await carryOut({ plan, setup, call, notes: [] }, context);
    if (call.options["json"] !== true) for (const note of notes) io.stdout(`${note}\n`);
    return code;
  },
};

function versionOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const version = text.replace(/^go/, "");
  if (!/^1\.\d{1,3}(\.\d{1,3}|(rc|beta)\d{1,2})?$/.test(version))
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--go", value: text, accepted: "1.26 | 1.26.8 | 1.27rc1" });
  return version;
}
